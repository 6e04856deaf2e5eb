import { useEffect, useState } from "preact/hooks";
import type { Shown } from "./shown";

const STARS = [1, 2, 3, 4, 5];

/** Asked when a person served and the conversation has ended for good; thanked for, and corrected for a while. */
export function Rating({ session, texts, language }: Shown) {
  const conversation = session.conversation.value;
  const choices = session.choices.value;
  const [given, choose] = useState(0);
  const [chosen, pick] = useState<string[]>([]);
  const [comment, say] = useState("");
  const [again, correct] = useState(false);
  const asked = session.over.value && conversation !== null && conversation.assigned_at !== null; // else nobody served
  const id = conversation?.conversation_id;
  useEffect(() => {
    if (asked) void session.offers();
    choose(0);
    pick([]);
    say("");
    correct(false);
  }, [asked, id]);
  if (!asked) return null;
  const since = conversation.rated_at === null ? 0 : Date.parse(conversation.rated_at);
  if (conversation.rating !== null && !again) {
    const still = Date.now() - since < choices.rating_correct_s * 1000;
    return (
      <p class="rating" role="status">
        {texts("rated", { n: conversation.rating })}{" "}
        {still && (
          <button
            type="button"
            class="plain"
            onClick={() => {
              choose(conversation.rating ?? 0);
              pick(conversation.rating_reasons.map((each) => each.reason_id));
              say(conversation.rating_comment);
              correct(true);
            }}
          >
            {texts("rate_change")}
          </button>
        )}
      </p>
    );
  }
  const reasons = choices.rating_reasons.filter((each) => each.stars_from <= given && given <= each.stars_to);
  return (
    <form
      class="rating"
      onSubmit={(event) => {
        event.preventDefault();
        const offered = chosen.filter((reason) => reasons.some((each) => each.reason_id === reason));
        if (given > 0) void session.rate(given, comment, offered).then((done) => done && correct(false));
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
          {reasons.length > 0 && (
            <div role="group" aria-label={texts("rate_why")} class="reasons">
              {reasons.map(({ reason_id, texts: words }) => (
                <label key={reason_id} class={chosen.includes(reason_id) ? "on" : ""}>
                  <input
                    type="checkbox"
                    checked={chosen.includes(reason_id)}
                    onChange={() =>
                      pick(chosen.includes(reason_id) ? chosen.filter((each) => each !== reason_id) : [...chosen, reason_id])
                    }
                  />
                  {words[language] ?? words["zh-CN"] ?? Object.values(words)[0]}
                </label>
              ))}
            </div>
          )}
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
