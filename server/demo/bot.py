"""A sample bot, to copy from: answers a few questions, and hands over when asked to or when it does not know (KS-17).

    python -m server.demo.bot --url http://127.0.0.1:8000 --shop demo --email robo@demo.example --password-file FILE

It uses the reference client and nothing else of Pointsman. The shop's settings must name its account as the bot. With
`--ticket` (from POST /v1/tickets) instead of e-mail and password it lives for one connection.
"""

import argparse
import asyncio
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from protocol.client import Client, TicketSource, account_tickets
from protocol.codes import ErrorCode
from protocol.errors import PointsmanError, RequestError
from protocol.events import ConversationChanged
from protocol.methods.agents import AgentResult, SetStatusParams
from protocol.methods.conversations import ConversationResult, FencedParams
from protocol.methods.messages import HistoryParams, HistoryResult
from protocol.shapes import Conversation, Message, TextBody
from protocol.states import AgentStatus, Life


@dataclass(frozen=True, slots=True)
class Intent:
    """One question that the bot knows: words that give it away, and the answer in the customer's language."""

    words: tuple[str, ...]
    zh: str
    en: str


INTENTS: Final = (
    Intent(
        ("发票", "發票", "invoice"),
        "电子发票随包裹发到您的邮箱。",
        "The invoice comes by e-mail with the parcel.",
    ),
    Intent(
        ("几点", "營業", "营业", "opening", "hours"),
        "人工客服 9 点到 22 点在线。",
        "People are here from 9 to 22.",
    ),
    Intent(
        ("退货", "退貨", "return"),
        "签收后 7 天内可以无理由退货。",
        "You may return it within 7 days of receipt.",
    ),
    Intent(
        ("多久", "发货", "ship", "deliver"),
        "付款后 24 小时内发货。",
        "It ships within 24 hours of the payment.",
    ),
)
HUMAN: Final = ("人工", "真人", "客服", "human", "person", "agent")


@dataclass(frozen=True, slots=True)
class Answer:
    """Say this, and stay."""

    text: str


@dataclass(frozen=True, slots=True)
class HandOff:
    """Say this, and give the conversation to people. `reason` is for their eyes."""

    text: str
    reason: str


def decide(text: str) -> Answer | HandOff:
    """What to do with one message of a customer."""
    lowered = text.lower()
    chinese = any("\u4e00" <= sign <= "\u9fff" for sign in text)
    if any(word in lowered for word in HUMAN):
        return HandOff(
            "好的，马上为您转人工。" if chinese else "I will get you a person.", "asked for a person"
        )
    for intent in INTENTS:
        if any(word in lowered for word in intent.words):
            return Answer(intent.zh if chinese else intent.en)
    words = "这个问题请人工来回答更好。" if chinese else "A person can answer that better than I can."
    return HandOff(words, "the bot does not know")


class Bot:
    """One bot at one client. `run` until the client ends."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._asked: dict[str, asyncio.Queue[Message]] = {}
        """conversation in the bot's hands -> what its customer says"""
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Serve until cancelled; raises the client's failure when it ends for good."""
        try:
            await self._run()
        finally:
            tasks = tuple(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        heard = self._client.subscribe()
        hello = await self._client.start()
        me = hello.me.person.id
        await self._client.call("agent.set_status", SetStatusParams(status=AgentStatus.ONLINE), AgentResult)
        for conversation in hello.snapshot.conversations:
            self._take(conversation)
        async for frame in heard:
            if isinstance(frame.params, ConversationChanged):
                conversation = frame.params.conversation
                if conversation.owner is not None and conversation.owner.id == me:
                    self._take(conversation)
                else:
                    self._leave(conversation.conversation_id)
            elif isinstance(frame.params, Message) and frame.params.sender.kind == "customer":
                asked = self._asked.get(frame.params.conversation_id)
                if asked is not None:
                    asked.put_nowait(frame.params)

    def _take(self, conversation: Conversation) -> None:
        """A conversation is ours: serve it, unless that goes on already."""
        key = conversation.conversation_id
        if conversation.state is Life.ACTIVE and key not in self._asked:
            self._asked[key] = asyncio.Queue()
            self._tasks[key] = asyncio.create_task(self._serve(key, self._asked[key]))

    def _leave(self, key: str) -> None:
        """It is in other hands now."""
        self._asked.pop(key, None)
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()

    async def _serve(self, conversation_id: str, asked: asyncio.Queue[Message]) -> None:
        """Answer one question after the other, those from before the bot came included, until it is handed over.

        A refusal ends it: somebody else has the conversation by now, or the connection broke; then the next word about
        it begins anew, and what was answered already is not answered twice.
        """
        try:
            params = HistoryParams(conversation_id=conversation_id, limit=20)
            page = await self._client.call("message.history", params, HistoryResult)
            before = [one for one in page.messages if one.sender.kind == "customer"]
            upto = page.head_seq
            if before and not await self._answer(before[-1]):
                return
            while True:
                question = await asked.get()
                if question.seq > upto and not await self._answer(question):
                    return
        except RequestError:
            self._asked.pop(conversation_id, None)

    async def _answer(self, question: Message) -> bool:
        """One turn. False: handed over."""
        what = decide(question.body.text if isinstance(question.body, TextBody) else "")
        # Named after the question: however often this turn is begun anew, it is answered once.
        name = f"to-{question.message_id}"
        await self._client.send(question.conversation_id, what.text, client_message_id=name)
        if isinstance(what, Answer):
            return True
        params = FencedParams(conversation_id=question.conversation_id, reason=what.reason)
        await self._client.call("conversation.hand_off", params, ConversationResult)
        return False


def _once(ticket: str) -> TicketSource:
    unused = [ticket]

    async def source() -> str:
        if not unused:
            raise RequestError(
                ErrorCode.UNAUTHENTICATED, "ticket_used", "The ticket has been used; get another."
            )
        return unused.pop()

    return source


async def _serve(arguments: argparse.Namespace, password: str) -> None:
    url: str = arguments.url.rstrip("/")
    async with httpx.AsyncClient(base_url=url, trust_env=False, headers={"Origin": url}) as http:
        if arguments.ticket:
            tickets = _once(arguments.ticket)
        else:
            tickets = account_tickets(http, arguments.shop, arguments.email, password)
        async with Client(
            f"ws{url.removeprefix('http')}/ws", tickets, name="pointsman-sample-bot", origin=url
        ) as client:
            work = asyncio.create_task(Bot(client).run())
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, work.cancel)
            sys.stdout.write("The bot is at work; Ctrl+C ends it.\n")
            sys.stdout.flush()
            await asyncio.wait([work])
            if not work.cancelled():
                work.result()


def main() -> int:
    """The command line; 0 after Ctrl+C, 1 when the server ends it."""
    parser = argparse.ArgumentParser(
        prog="python -m server.demo.bot", description="A sample bot for Pointsman."
    )
    parser.add_argument("--url", required=True, help="where a node listens")
    parser.add_argument("--ticket", help="a ticket from POST /v1/tickets")
    parser.add_argument("--shop", help="the shop's short name")
    parser.add_argument("--email", help="the bot's account")
    parser.add_argument("--password-file", help="a file with its password")
    arguments = parser.parse_args()
    if not arguments.ticket and not (arguments.shop and arguments.email and arguments.password_file):
        parser.error("give --ticket, or --shop, --email and --password-file")
    try:
        path = arguments.password_file
        password = Path(path).read_text(encoding="utf-8").partition("\n")[0] if path else ""
        asyncio.run(_serve(arguments, password))
    except (PointsmanError, OSError) as error:
        sys.stderr.write(f"The bot cannot work: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
