/** Files on their way into a conversation, one after the other. */

import type { Conversation } from "@pointsman/shared";
import { ref, type Ref } from "vue";
import { useI18n } from "vue-i18n";
import { useSession } from "./session";
import { useWork } from "./work";
import type { DraftKind } from "./workDrafts";
import { upload } from "./workFiles";

/** What is on its way now, and how far it is. */
export interface Uploading {
  name: string;
  percent: number;
}

export function useAttaching(
  conversation: Ref<Conversation>,
  kind: Ref<DraftKind>,
): { uploading: Ref<Uploading | null>; attach: (files: FileList | null | undefined) => Promise<void> } {
  const session = useSession();
  const work = useWork();
  const { t } = useI18n();
  const uploading = ref<Uploading | null>(null);

  async function one(file: File): Promise<void> {
    if (uploading.value !== null || work.outbox === null) return;
    const { conversation_id, assign_epoch } = conversation.value;
    const internal = kind.value === "note";
    const name = file.name || `${t("work.kind.image")}.png`;
    uploading.value = { name, percent: 0 };
    try {
      const place = await session.ask("file.upload", { conversation_id, name, size_bytes: file.size, internal });
      await upload(place.url, file, (percent) => (uploading.value = { name, percent }));
      const body = { kind: file.type.startsWith("image/") ? ("image" as const) : ("file" as const), file_id: place.file_id, name };
      const epoch = !internal && work.part === "owner" ? assign_epoch : null;
      work.outbox.add({ conversation: conversation_id, method: internal ? "note.send" : "message.send", body, epoch });
    } catch (error) {
      work.refused(error);
    }
    uploading.value = null;
  }

  async function attach(files: FileList | null | undefined): Promise<void> {
    for (const file of [...(files ?? [])]) await one(file);
  }
  return { uploading, attach };
}
