"""Shifts past midnight, shifts by date, holidays, duty by hand (GP-06)."""

from server.store.migrations.audited import audited, audited_set
from server.store.migrations.sql import run

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A stretch belongs to the day on which it begins: an end above 1440 lies on the day after."""
    run(
        """
        ALTER TABLE schedules
            DROP CONSTRAINT schedules_end_minute_check,
            DROP CONSTRAINT schedules_check,
            ADD CHECK (end_minute > start_minute AND end_minute <= start_minute + 1440)
        """,
        """
        CREATE TABLE holidays (
            shop_id uuid NOT NULL REFERENCES shops ON DELETE CASCADE,
            day date NOT NULL,
            name text NOT NULL,
            PRIMARY KEY (shop_id, day)
        )
        """,
        # None: closed all day.
        """
        CREATE TABLE holiday_hours (
            shop_id uuid NOT NULL,
            day date NOT NULL,
            start_minute smallint NOT NULL CHECK (start_minute BETWEEN 0 AND 1439),
            end_minute smallint NOT NULL CHECK (end_minute <= 1440),
            PRIMARY KEY (shop_id, day, start_minute),
            CHECK (start_minute < end_minute),
            FOREIGN KEY (shop_id, day) REFERENCES holidays ON DELETE CASCADE
        )
        """,
        """
        CREATE TABLE dated_days (
            shop_id uuid NOT NULL,
            account_id uuid NOT NULL,
            day date NOT NULL,
            note text NOT NULL,
            PRIMARY KEY (account_id, day),
            FOREIGN KEY (shop_id, account_id) REFERENCES accounts (shop_id, id) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX dated_days_by_shop ON dated_days (shop_id, day)",
        # None: off that day.
        """
        CREATE TABLE dated_shifts (
            shop_id uuid NOT NULL,
            account_id uuid NOT NULL,
            day date NOT NULL,
            start_minute smallint NOT NULL CHECK (start_minute BETWEEN 0 AND 1439),
            end_minute smallint NOT NULL,
            group_id uuid,
            CHECK (end_minute > start_minute AND end_minute <= start_minute + 1440),
            FOREIGN KEY (account_id, day) REFERENCES dated_days (account_id, day) ON DELETE CASCADE,
            FOREIGN KEY (shop_id, group_id) REFERENCES groups (shop_id, id) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX dated_shifts_by_day ON dated_shifts (account_id, day)",
        "CREATE INDEX dated_shifts_by_group ON dated_shifts (shop_id, group_id)",
        """
        CREATE TABLE duty_by_hand (
            shop_id uuid NOT NULL,
            account_id uuid PRIMARY KEY,
            on_duty boolean NOT NULL,
            until timestamptz,
            reason text NOT NULL,
            by uuid,
            set_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
            FOREIGN KEY (shop_id, account_id) REFERENCES accounts (shop_id, id) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX duty_by_hand_by_shop ON duty_by_hand (shop_id)",
    )
    audited_set("holidays", "shop", named_by="shop_id")
    audited_set("holiday_hours", "shop", named_by="shop_id", within="holidays")
    audited_set("dated_days", "account", named_by="account_id")
    audited_set("dated_shifts", "account", named_by="account_id", within="dated_days")
    audited("duty_by_hand", "account", named_by="account_id", without=("by", "set_at"))
