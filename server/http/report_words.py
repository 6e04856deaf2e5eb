"""What stands at the heads of exported tables, in the languages of the desk; programs get the names themselves."""

from typing import Final, Literal

from server.words import words_of

Language = Literal["en", "zh-CN", "zh-TW"]

_NAMES: Final[dict[str, tuple[str, str, str]]] = {
    "from": ("From", "开始时间", "開始時間"),
    "to": ("To (exclusive)", "结束时间（不含）", "結束時間（不含）"),
    "key": ("Id", "编号", "編號"),
    "name": ("Name", "名称", "名稱"),
    "opened": ("Opened", "新会话", "新會話"),
    "assigned": ("Assigned", "分配次数", "分配次數"),
    "closed": ("Closed", "已结束会话", "已結束會話"),
    "abandoned": ("Gave up in the queue", "放弃排队", "放棄排隊"),
    "unanswered": ("Never answered", "未回复会话", "未回覆會話"),
    "served_by_several": ("Served by several", "多人接待", "多人接待"),
    "transfers_in": ("Received by transfer", "转入", "轉入"),
    "transfers_out": ("Given by transfer", "转出", "轉出"),
    "cross_group_tries": ("Refused out-of-reach tries", "越权操作被拒", "越權操作被拒"),
    "messages_customer": ("Customer messages", "客户消息", "客戶訊息"),
    "messages_agent": ("Agent messages", "客服消息", "客服訊息"),
    "messages_bot": ("Bot messages", "机器人消息", "機器人訊息"),
    "notes": ("Notes", "内部备注", "內部備註"),
    "collaborations": ("Joined beside the owner", "参与协作", "參與協作"),
    "first_responses": ("First reply", "首次响应", "首次回應"),
    "responses": ("Every reply", "每次回复", "每次回覆"),
    "resolutions": ("Opening to closing", "会话时长", "會話時長"),
    "queue_waits": ("Wait in queue", "排队等待", "排隊等候"),
    "collaboration_times": ("Time taking part", "协作时长", "協作時長"),
    "items_done": ("Parts done", "完成事项", "完成事項"),
    "online_ms": ("Time online", "在线时长", "上線時長"),
    "paused_ms": ("Time paused", "挂起时长", "暫停時長"),
    "offline_ms": ("Time offline", "离线时长", "離線時長"),
    "away_ms": ("of it without connection", "其中失联时长", "其中失聯時長"),
    "within_3_min": ("Replies within 3 min", "3 分钟回复率", "3 分鐘回覆率"),
    "ratings_count": ("Ratings", "评价数", "評分數"),
    "ratings_mean": ("Mean rating", "平均评分", "平均評分"),
    "kind": ("Kind", "类别", "類別"),
    "id": ("Code", "代码", "代碼"),
    "label": ("Tag or reason", "标签或原因", "標籤或原因"),
    "conversations": ("Conversations", "会话数", "會話數"),
    "of": ("of", "总数", "總數"),
    "share": ("Share", "占比", "占比"),
    "conversation": ("Conversation", "会话编号", "會話編號"),
    "opened_at": ("Opened at", "开始时间", "開始時間"),
    "closed_at": ("Closed at", "结束时间", "結束時間"),
    "state": ("State", "会话状态", "會話狀態"),
    "outcome": ("Result", "结果", "結果"),
    "customer_id": ("Customer id", "客户编号", "客戶編號"),
    "customer": ("Customer", "客户", "客戶"),
    "external_id": ("Shop's customer id", "店铺客户编号", "店鋪客戶編號"),
    "order_id": ("Order", "订单号", "訂單號"),
    "order_state": ("Order state", "订单状态", "訂單狀態"),
    "agent": ("Agent", "客服", "客服"),
    "groups": ("Groups", "分组", "分組"),
    "via_bot": ("Began with the bot", "机器人先接待", "機器人先接待"),
    "queue_wait_ms": ("Wait in queue", "排队等待", "排隊等候"),
    "first_answer_at": ("First reply at", "首次回复时间", "首次回覆時間"),
    "first_response_ms": ("First reply took", "首次响应时长", "首次回應時長"),
    "response_mean_ms": ("Mean reply", "平均响应时长", "平均回應時長"),
    "longest_response_ms": ("Longest reply", "最长响应时长", "最長回應時長"),
    "duration_ms": ("Opening to closing", "会话时长", "會話時長"),
    "replies": ("Replies", "回复次数", "回覆次數"),
    "transfers": ("Transfers", "转接次数", "轉接次數"),
    "people": ("People who answered", "回复的客服人数", "回覆的客服人數"),
    "rating": ("Rating", "评分", "評分"),
    "rating_reasons": ("Reasons for the rating", "评价原因", "評分原因"),
    "result_tags": ("Result tags", "结果标签", "結果標籤"),
    "end_reason": ("Remark at the end", "结束备注", "結束備註"),
    "rating_comment": ("Rating comment", "评价内容", "評價內容"),
}
_FIGURES: Final[dict[str, tuple[str, str, str]]] = {
    "count": ("number", "次数", "次數"),
    "mean_ms": ("mean", "平均", "平均"),
    "median_ms": ("median", "中位数", "中位數"),
    "p95_ms": ("95%", "95 分位", "95 百分位"),
    "longest_ms": ("longest", "最长", "最長"),
}
_CODES: Final[dict[str, tuple[str, str, str]]] = {
    "result_tag": ("result tag", "结果标签", "結果標籤"),
    "rating_reason": ("reason for the rating", "评价原因", "評分原因"),
    "none": ("none given", "未选择", "未選擇"),
    "abandoned": ("gave up in the queue", "放弃排队", "放棄排隊"),
    "unanswered": ("never answered", "未回复", "未回覆"),
    "answered": ("answered", "已回复", "已回覆"),
    "open": ("not closed yet", "未结束", "未結束"),
}
_UNITS: Final = {"en": " [s]", "zh-CN": "（秒）", "zh-TW": "（秒）"}
_ORDER: Final = ("en", "zh-CN", "zh-TW")


def title(name: str, language: Language | None, *, figure: str = "", seconds: bool = False) -> str:
    """The head of a column: `name` itself for programs. `figure`: which figure of durations; `seconds`: that is the
    unit of what stands below."""
    if language is None:
        return f"{name}_{figure}" if figure else name
    which = _ORDER.index(language)
    unit = _UNITS[language] if seconds else ""
    return (
        f"{_NAMES[name][which]} {_FIGURES[figure][which]}{unit}" if figure else f"{_NAMES[name][which]}{unit}"
    )


def code(name: str, language: Language | None) -> str:
    """A word of the protocol as people read it; one that is not known stays as it is."""
    if language is None:
        return name
    if name in _CODES:
        return _CODES[name][_ORDER.index(language)]
    known = words_of(language)
    return known["order_state"].get(name) or known["life"].get(name, name)
