import type { Message, QuoteInput } from "@pointsman/shared";
import type { Texts } from "../texts";
import type { Talk } from "./talk";

/** What a line is about: who said it, and how it begins. */
export function Quoted({ quote, session, texts }: { quote: QuoteInput; session: Talk; texts: Texts }) {
  const own = quote.sender?.kind === "customer";
  return (
    <button type="button" class="quote" onClick={() => session.lead(quote.message_id)}>
      <b>{own ? texts("you") : quote.sender?.name || texts("team")}</b>{" "}
      {quote.kind ? quote.excerpt || texts(quote.kind === "image" ? "picture" : "file") : texts("recalled")}
    </button>
  );
}

/** A message as it is quoted. */
export function quoteOf(message: Message): QuoteInput {
  const body = message.body;
  const { kind = null, excerpt = "" } =
    body === null || body.kind === "system"
      ? {}
      : { kind: body.kind, excerpt: "text" in body ? body.text : "name" in body ? body.name : body.title || body.order_id };
  return { message_id: message.message_id, sender: message.sender, kind, excerpt: excerpt.slice(0, 200) };
}
