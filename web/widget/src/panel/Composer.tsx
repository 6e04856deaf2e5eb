import { useRef } from "preact/hooks";
import { whyIn } from "../texts";
import type { Shown } from "./shown";
import { Quoted } from "./Quote";

/** Where the visitor writes. Enter sends, Shift+Enter breaks the line; a composing keyboard never sends. */
export function Composer({ session, texts }: Shown) {
  const input = useRef<HTMLInputElement>(null);
  const text = session.typed.value;
  const about = session.about.value;
  const stopped = session.status.value.phase === "stopped";
  const uploading = session.uploading.value;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        session.say(text);
      }}
    >
      {about !== null && (
        <div class="about">
          <span>
            {texts("ask_about")}{" "}
            {about.order
              ? `${texts("order", { id: about.order.order_id })} ${about.order.title ?? ""}`
              : `${about.product?.title} ${about.product?.price ?? ""}`}
          </span>
          <button
            type="button"
            class="icon"
            aria-label={texts("remove")}
            onClick={() => (session.about.value = null)}
          >
            ×
          </button>
        </div>
      )}
      {session.quoting.value !== null && (
        <div class="about">
          <Quoted quote={session.quoting.value} session={session} texts={texts} />
          <button
            type="button"
            class="icon"
            aria-label={texts("unquote")}
            onClick={() => (session.quoting.value = null)}
          >
            ×
          </button>
        </div>
      )}
      {uploading && (
        <p class="note" role="status">
          {texts("uploading", { name: uploading.name, percent: uploading.percent })}
        </p>
      )}
      {session.trouble.value !== null && (
        <p class="note" role="alert">
          {whyIn(texts, session.trouble.value)}
        </p>
      )}
      <div class="row">
        <input
          ref={input}
          type="file"
          hidden
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            event.currentTarget.value = "";
            if (file) void session.attach(file);
          }}
        />
        <button
          type="button"
          class="icon"
          aria-label={texts("attach")}
          disabled={uploading !== null || stopped}
          onClick={() => input.current?.click()}
        >
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M8 12l6-6a3 3 0 0 1 4 4l-8 8a5 5 0 0 1-7-7l8-8" />
          </svg>
        </button>
        <textarea
          rows={1}
          aria-label={texts("placeholder")}
          placeholder={texts(session.later.value ? "leave_message" : "placeholder")}
          value={text}
          disabled={stopped}
          onInput={(event) => session.typing(event.currentTarget.value)}
          onKeyDown={(event) => {
            // 229: some browsers say so instead of `isComposing` while a candidate is chosen.
            if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
              event.preventDefault();
              session.say(text);
            }
          }}
          onPaste={(event) => {
            const file = event.clipboardData?.files[0];
            if (file) {
              event.preventDefault();
              void session.attach(file);
            }
          }}
        />
        <button type="submit" class="send" aria-label={texts("send")} disabled={stopped || text.trim() === ""}>
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <path d="M3 20l18-8L3 4l3 8zM6 12h8" />
          </svg>
        </button>
      </div>
    </form>
  );
}
