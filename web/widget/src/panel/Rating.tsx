import { useState } from "preact/hooks";
import type { Shown } from "./Panel";

const STARS = [1, 2, 3, 4, 5];

/** Asked when a person served and the conversation has ended; answered once, and thanked for. */
export function Rating({ session, texts }: Shown) {
  const conversation = session.conversation.value;
  const [given, choose] = useState(0);
  const [comment, say] = useState("");
  if (conversation === null || !["wrap_up", "closed"].includes(conversation.state)) return null;
  if (conversation.assigned_at === null) return null; // nobody served
  if (conversation.rating !== null) {
    return <p class="rating">{texts("rated", { n: conversation.rating })}</p>;
  }
  return (
    <form
      class="rating"
      onSubmit={(event) => {
        event.preventDefault();
        if (given > 0) void session.rate(given, comment);
      }}
    >
      <fieldset>
        <legend>{texts("rate")}</legend>
        {STARS.map((n) => (
          <label key={n} class={n <= given ? "star on" : "star"}>
            <input
              type="radio"
              name="rating"
              value={n}
              checked={n === given}
              aria-label={texts("rate_n", { n })}
              onChange={() => choose(n)}
            />
            <span aria-hidden="true">★</span>
          </label>
        ))}
      </fieldset>
      {given > 0 && (
        <>
          <textarea
            rows={2}
            maxLength={2000}
            aria-label={texts("rate_comment")}
            placeholder={texts("rate_comment")}
            value={comment}
            onInput={(event) => say(event.currentTarget.value)}
          />
          <button type="submit" class="plain">
            {texts("rate_send")}
          </button>
        </>
      )}
    </form>
  );
}
