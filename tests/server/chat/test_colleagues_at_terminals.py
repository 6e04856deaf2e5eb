"""Working together at four terminals: a customer, two agents and a supervisor, over a real node."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import Running
from tests.server.chat.conftest import House


def served(house: House) -> tuple[Running, Running, Running]:
    """Lin serves Alice; Chen is there."""
    lin, chen = house.agent("lin"), house.agent("chen")
    lin.type("/online")
    lin.expect("You are online")
    alice = house.customer("Alice")
    alice.type("The zip is broken.")
    alice.expect("Lin is serving you now.")
    lin.expect("#1 Alice is yours")
    return alice, lin, chen


@pytest.mark.req("CO-01", "CO-02", "CO-05")
def test_a_colleague_is_asked_in_reads_everything_and_answers_too(house: House) -> None:
    alice, lin, chen = served(house)
    lin.type("/invite Chen knows zips")
    lin.expect("Chen is invited.")
    chen.expect("Invitation 1: Lin asks you to Alice (knows zips).")
    chen.type("/join")
    chen.expect("#1 Alice: you take part; Lin serves.")
    chen.expect("Alice: The zip is broken.")
    lin.expect("Chen joins")

    lin.type("/note @Chen is it the K2 zip?")
    chen.expect("Lin: [note] @Chen is it the K2 zip?")
    chen.expect("Lin names you in #1: @Chen is it the K2 zip?")
    chen.type("It is. We send a new slider today.")
    alice.expect("Chen: It is. We send a new slider today.")
    lin.expect("Chen: It is. We send a new slider today.")

    chen.type("/depart")
    chen.expect("#1 Alice: you take part no longer.")
    lin.expect("Chen leaves")
    assert "[note]" not in "\n".join(alice.lines)


@pytest.mark.req("CO-08")
def test_work_is_divided_and_seen_by_both(house: House) -> None:
    _, lin, chen = served(house)
    lin.type("/invite Chen")
    chen.expect("Invitation 1")
    chen.type("/join 1")
    chen.expect("you take part")
    lin.type("/todo send a new slider @Chen")
    chen.expect("#1 work: · send a new slider @Chen · Chen")
    chen.type("/done 1")
    lin.expect("#1 work: ✓ send a new slider @Chen")
    lin.type("/work")
    lin.expect("1. ✓ send a new slider @Chen · Chen")


@pytest.mark.req("CO-10", "GP-04")
def test_a_department_takes_it_and_the_former_owner_follows(house: House) -> None:
    alice, lin, chen = served(house)
    chen.type("/online")
    chen.expect("You are online")
    lin.type("/targets")
    lin.expect("Chen · online")
    lin.expect("@After-sale · 2 online")
    lin.type("/transfer +@After-sale beyond me")
    chen.expect("#1 Alice is yours")
    alice.expect("You were handed from Lin to Chen.")
    lin.expect("#1 Alice: you take part; Chen serves.")


@pytest.mark.req("CO-12")
def test_a_supervisor_watches_whispers_speaks_and_takes_over(house: House) -> None:
    alice, lin, _ = served(house)
    vera = house.agent("vera")
    vera.type("/all")
    vera.expect("1. Alice · Lin")
    vera.type("/watch 1 first week")
    vera.expect("You watch #1 Alice")
    vera.expect("Alice: The zip is broken.")
    lin.type("Have you tried candle wax?")
    vera.expect("Lin: Have you tried candle wax?")
    vera.type("I would not say that.")
    vera.expect("You only watch.")

    vera.type("/whisper offer a new slider")
    lin.expect("Vera: [whisper] offer a new slider")
    vera.type("/speak")
    vera.expect("you take part in the open")
    vera.type("Hello Alice, Vera here.")
    alice.expect("Vera: Hello Alice, Vera here.")
    vera.type("/takeover complaint")
    vera.expect("#1 Alice is yours")
    alice.expect("You were handed from Lin to Vera.")
    lin.expect("#1 Alice: you take part; Vera serves.")
    assert "whisper" not in "\n".join(alice.lines)


@pytest.mark.req("CO-04")
def test_files_go_to_the_customer_or_to_colleagues_only(house: House, tmp_path: Path) -> None:
    alice, lin, chen = served(house)
    (tmp_path / "label.txt").write_text("Return label 42\n")
    (tmp_path / "price.txt").write_text("Cost 3, sold 30\n")
    lin.type(f"/file {tmp_path / 'label.txt'}")
    lin.expect("Sent: label.txt")
    alice.expect("[file label.txt]")
    lin.type(f"/share {tmp_path / 'price.txt'}")
    lin.expect("For colleagues only: price.txt")
    lin.type("/invite Chen")
    chen.expect("Invitation 1")
    chen.type("/join", "/files")
    chen.expect("1. label.txt (16 B) by Lin")
    chen.expect("2. price.txt (16 B) by Lin")
    alice.type("/files")
    alice.expect("1. label.txt")
    alice.type("/get 1")
    kept = alice.expect("Kept as ").split("Kept as ")[1].split(" (")[0]
    assert Path(kept).read_text() == "Return label 42\n"
    Path(kept).unlink()
    assert "price.txt" not in "\n".join(alice.lines)


@pytest.mark.req("GP-03", "GP-05", "GP-07")
def test_the_office_reassigns_customers_and_shows_figures_rules_and_the_audit(house: House) -> None:
    alice, lin, _ = served(house)
    boss = house.agent("boss")
    boss.type("/customers")
    boss.expect("1. Alice · nobody")
    boss.type("/owner 1 Chen moved to her area")
    boss.expect("1 of 1 reassigned, 0 refused.")
    boss.type("/customers", "/noted 1 prefers letters")
    boss.expect("1. Alice · Chen")
    boss.expect("Boss: prefers letters")
    boss.type("/figures", "/rules", "/shift Chen off")
    boss.expect("1 opened, 0 closed")
    boss.expect("No rule yet.")
    boss.expect("Chen: changed.")
    lin.type("/owner 1 Chen")
    lin.expect("Give a number: /owner 2")
    lin.type("/audit")
    lin.expect("That did not work: You may not do this.")
    boss.type("/audit refused")
    boss.expect("Lin GET /v1/audit: refused (no_right)")
    assert alice.lines


def test_a_quick_reply_answers_with_what_the_conversation_says(house: House) -> None:
    alice, lin, _ = served(house)
    lin.type("/quick")
    lin.expect("No quick reply fits.")
    house.quick_reply(shortcut="hi", title="欢迎", text="Hello {customer}, I am {agent}.")
    house.quick_reply(shortcut="bye", title="再见", text="Bye.")
    lin.type("/quick")
    lin.expect("/hi  欢迎: Hello {customer}, I am {agent}.")
    lin.type("/quick huany")
    alice.expect("Lin: Hello Alice, I am Lin.")


def test_a_quick_reply_with_something_that_nobody_knows_is_not_sent(house: House) -> None:
    house.quick_reply(shortcut="hi", title="Hello", text="Hello {customer}!")
    lin = house.agent()
    lin.type("/online")
    lin.expect("You are online")
    visitor = house.customer()
    visitor.type("Anybody there?")
    lin.expect("is yours")
    lin.type("/quick hi")
    lin.expect("Not sent: nobody knows {customer}. Fill it in by hand: Hello {customer}!")
    lin.type("Hello you!")
    visitor.expect("Lin: Hello you!")
    assert "{customer}" not in "\n".join(visitor.lines)
