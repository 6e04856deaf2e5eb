// What a page under measurement tells of itself: put in before its own scripts, in every frame.
(() => {
  const traced = { long: [], heard: {}, waiting: [], gaps: [], running: false };
  window.__traced = traced;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) traced.long.push(entry.duration);
  }).observe({ type: "longtask", buffered: true });

  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", (event) => {
        const found = typeof event.data === "string" && event.data.startsWith('{"jsonrpc":"2.0","method":"message.created"')
          ? /traced-\d+/.exec(event.data) : null;
        if (found) traced.heard[found[0]] ??= performance.now();
      });
    }
  };

  /** Called when what was done up to now has been painted. */
  function painted(then) {
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => then(performance.now());
      channel.port2.postMessage(null);
    });
  }

  function look() {
    traced.waiting = traced.waiting.filter((each) => {
      const there = [...document.querySelectorAll(each.where)].some((element) => element.textContent.includes(each.text));
      if (there) painted(each.resolve);
      return !there;
    });
  }
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });

  /** When `text` is painted within something that `where` names. */
  traced.shown = (where, text) =>
    new Promise((resolve, reject) => {
      traced.waiting.push({ where, text, resolve });
      setTimeout(() => reject(new Error(`${text} was never shown in ${where}`)), 20_000);
      look();
    });

  /** Resolved at the first frame in which `holds()` is true, with the time. */
  const until = (holds, what) =>
    new Promise((resolve, reject) => {
      const given = performance.now() + 20_000;
      const frame = () => {
        if (holds()) painted(resolve);
        else if (performance.now() > given) reject(new Error(`never: ${what}`));
        else requestAnimationFrame(frame);
      };
      frame();
    });
  traced.wentFrom = (path) => until(() => location.pathname !== path, `away from ${path}`);
  /** To the top of what scrolls, until more stands above: how long that took. */
  traced.readBack = (where) => {
    const there = document.querySelector(where);
    const height = there.scrollHeight;
    const began = performance.now();
    there.scrollTop = 0;
    return until(() => there.scrollHeight > height, "an older page").then((now) => now - began);
  };

  traced.watchFrames = () => {
    traced.gaps = [];
    traced.running = true;
    let last = performance.now();
    const frame = (now) => {
      traced.gaps.push(now - last);
      last = now;
      if (traced.running) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  };
  traced.endFrames = () => {
    traced.running = false;
    return traced.gaps.slice(1);
  };
})();
