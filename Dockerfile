# Pointsman in a container: `docker build -t pointsman .`
# Stages: what building needs, the pages for browsers, the wheel; the last has only Python, the libraries of the hashed
# lock and us.

FROM python:3.11-slim-bookworm AS libraries
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
# The libraries first: they change seldom, and Docker keeps the layer.
COPY requirements/run.txt requirements/build.txt requirements/
RUN python -m venv /opt/pointsman && /opt/pointsman/bin/pip install -r requirements/run.txt
RUN python -m venv /opt/build && /opt/build/bin/pip install -r requirements/build.txt
COPY protocol protocol
RUN /opt/pointsman/bin/python -m protocol.schema typescript > /protocol.ts

FROM node:24-bookworm-slim AS pages
WORKDIR /src/web
COPY web/package.json web/package-lock.json web/.npmrc ./
COPY web/desk/package.json desk/
COPY web/shared/package.json shared/
COPY web/widget/package.json widget/
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY web .
COPY --from=libraries /protocol.ts shared/src/protocol.ts
RUN npm run build

FROM libraries AS build
COPY pyproject.toml README.md LICENSE ./
COPY router router
COPY server server
COPY loadtest loadtest
COPY --from=pages /src/server/pages server/pages
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/pointsman/bin/pip install --no-deps --no-index /wheels/*.whl

FROM python:3.11-slim-bookworm
COPY --from=build /opt/pointsman /opt/pointsman
ENV PATH=/opt/pointsman/bin:$PATH PYTHONUNBUFFERED=1 POINTSMAN_HOST=0.0.0.0 POINTSMAN_PORT=8000 POINTSMAN_FILES=/files
# A volume for files, which all nodes share; or set POINTSMAN_FILES=s3://bucket.
RUN mkdir /files && chown 10001:10001 /files
VOLUME /files
# An id without a name and without rights; orchestrators can check that it is not 0.
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
# /livez says that the process answers; whether it should get traffic is /readyz, for the load balancer.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", "import os, urllib.request; \
urllib.request.urlopen('http://127.0.0.1:' + os.environ['POINTSMAN_PORT'] + '/livez', timeout=2).close()"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["pointsman"]
CMD ["serve"]
