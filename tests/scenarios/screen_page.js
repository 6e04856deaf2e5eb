// One side of a screen share in a browser: speaks our protocol over a WebSocket, and WebRTC with the other side.
globalThis.side = (() => {
  let socket, peer, number = 0;
  const waiting = new Map();
  const heard = [];
  const state = { picture: null, sent: 0, gaps: 0, last: 0, share: null, from: null };

  function ask(method, params) {
    return new Promise((resolve, reject) => {
      const id = ++number;
      waiting.set(id, { resolve, reject });
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  async function signal(kind, data) {
    await ask("screen.signal", { share_id: state.share, kind, data });
    state.sent += 1;
  }

  function makePeer() {
    peer = new RTCPeerConnection({ iceServers: [] });
    peer.onicecandidate = ({ candidate }) => {
      if (candidate && candidate.candidate.includes(" 127.0.0.1 ")) signal("candidate", candidate.toJSON());
    };
    peer.ontrack = ({ track }) => look(track);
  }

  async function look(track) {
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = new MediaStream([track]);
    await video.play();
    const canvas = document.createElement("canvas");
    const paint = () => {
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      const context = canvas.getContext("2d");
      context.drawImage(video, 0, 0);
      const colour = context.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
      state.picture = { width: canvas.width, height: canvas.height, colour: [...colour].slice(0, 3) };
      video.requestVideoFrameCallback(paint);
    };
    video.requestVideoFrameCallback(paint);
  }

  async function onSignal({ share_id, n, kind, data }) {
    if (share_id !== state.share) return;
    if (n !== state.last + 1) state.gaps += 1;
    state.last = n;
    if (kind === "candidate") return peer.addIceCandidate(data);
    await peer.setRemoteDescription(data);
    if (kind === "offer") {
      await peer.setLocalDescription(await peer.createAnswer());
      await signal("answer", peer.localDescription.toJSON());
    }
  }

  let signals = Promise.resolve();
  function hear(frame) {
    if (frame.id) {
      const { resolve, reject } = waiting.get(frame.id);
      waiting.delete(frame.id);
      frame.error ? reject(new Error(JSON.stringify(frame.error))) : resolve(frame.result);
    } else if (frame.method === "screen.signalled") {
      signals = signals.then(() => onSignal(frame.params));
    } else {
      heard.push(frame);
    }
  }

  return {
    state,
    ask,
    async arrives(url, ticket) {
      socket = new WebSocket(url, ["pointsman.v1"]);
      await new Promise((resolve, reject) => { socket.onopen = resolve; socket.onerror = () => reject(new Error("refused")); });
      socket.onmessage = ({ data }) => hear(JSON.parse(data));
      const hello = await ask("session.hello", { ticket, client: { name: "browser", device: "web" } });
      return hello.session_id;
    },
    async waits(method) {
      for (;;) {
        const found = heard.findIndex((frame) => frame.method === method);
        if (found >= 0) return heard.splice(found, 1)[0].params;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    follows(share) {
      state.share = share;
      makePeer();
    },
    async shows() {
      document.documentElement.style.background = "rgb(200, 40, 90)";
      document.body.style.background = "rgb(200, 40, 90)";
      document.body.textContent = "";
      const stream = await navigator.mediaDevices.getDisplayMedia({ video: { displaySurface: "browser", frameRate: 10 } });
      const [track] = stream.getVideoTracks();
      state.from = track.getSettings().displaySurface;
      peer.addTrack(track, stream);
      await peer.setLocalDescription(await peer.createOffer());
      await signal("offer", peer.localDescription.toJSON());
    },
    async connected() {
      while (peer.connectionState !== "connected") await new Promise((resolve) => setTimeout(resolve, 20));
      return peer.connectionState;
    },
    async pictures() {
      // the colour of the page, once it has been painted, captured, sent and decoded
      for (;;) {
        const [red, green, blue] = state.picture?.colour ?? [0, 0, 0];
        if (Math.abs(red - 200) < 20 && Math.abs(green - 40) < 20 && Math.abs(blue - 90) < 20) return state.picture;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
})();
