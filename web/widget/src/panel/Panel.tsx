import { useEffect, useRef } from "preact/hooks";
import { Composer } from "./Composer";
import { Connection, Header, Queue } from "./Header";
import { Log } from "./Log";
import { Rating } from "./Rating";
import type { Shown } from "./shown";

/** The whole panel, as a dialog that does not take the page away. */
export function Panel({ session, texts, language, close }: Shown & { close: () => void }) {
  const panel = useRef<HTMLElement>(null);
  const visible = session.visible.value;
  useEffect(() => {
    if (!visible) return;
    window.focus();
    // On a touch screen the keyboard would come up before anybody wants to write.
    const touch = matchMedia("(pointer: coarse)").matches;
    (touch ? panel.current : panel.current?.querySelector<HTMLElement>(".composer textarea"))?.focus();
  }, [visible]);
  return (
    <section
      ref={panel}
      class="panel"
      role="dialog"
      tabIndex={-1}
      aria-label={texts("title")}
    >
      <Header session={session} texts={texts} language={language} close={close} />
      <Connection session={session} texts={texts} language={language} />
      <Log session={session} texts={texts} language={language} />
      <Queue session={session} texts={texts} language={language} />
      <Rating session={session} texts={texts} language={language} />
      <Composer session={session} texts={texts} language={language} />
    </section>
  );
}
