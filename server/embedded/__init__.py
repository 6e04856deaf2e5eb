"""Private PostgreSQL and Redis servers for `make run`, the tests and the load test.

Start them with `server.embedded.servers.start`. Development only: a deployment brings its own servers, and given
URLs are passed through untouched. Nothing here reads the environment; callers pass what they know.

`errors`, `binaries`, `accounts`, `workspace`, `doctor`, `missing` and `clean` need nothing but the standard library, so
that they work before anything is installed.
"""
