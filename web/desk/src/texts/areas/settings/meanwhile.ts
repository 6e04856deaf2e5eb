/** When somebody else saved the same page first. */

import { area } from "../../area";

export const meanwhile = area({
  en: {
    meanwhile: {
      title: "{who} changed this while you were editing.",
      somebody: "Somebody else",
      kept: "Nothing was saved, and nothing that you entered is lost.",
      see: "See the difference",
      theirs: "What they changed",
      mine: "What keeping yours would change of it",
      take: "Take theirs",
      keep: "Keep mine",
    },
  },
  "zh-CN": {
    meanwhile: {
      title: "您编辑期间，{who} 修改了这里的设置。",
      somebody: "其他人",
      kept: "尚未保存，您填写的内容也没有丢失。",
      see: "查看差异",
      theirs: "对方的修改",
      mine: "保留您的修改后会改动",
      take: "采用对方的设置",
      keep: "保留我的修改",
    },
  },
  "zh-TW": {
    meanwhile: {
      title: "您編輯期間，{who} 修改了這裡的設定。",
      somebody: "其他人",
      kept: "尚未儲存，您填寫的內容也沒有遺失。",
      see: "查看差異",
      theirs: "對方的修改",
      mine: "保留您的修改後會變更",
      take: "採用對方的設定",
      keep: "保留我的修改",
    },
  },
});
