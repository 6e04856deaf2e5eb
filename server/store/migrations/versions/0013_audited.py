"""Which changes the database records by itself: everything that is a right, a setting or an owner (GP-03, KS-23).

A table that is made later calls `audited` in the step that makes it. What is said in conversations, routing decisions
and live state have their own history and are not here; `server.store.acting.AUDITED` names the tables.
"""

from server.store.migrations.audited import audited, audited_set

revision = "0013"
down_revision = "0012a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A trigger on each."""
    # Status and device are what agents do all day; a higher token version is recorded as what caused it.
    audited(
        "accounts",
        "account",
        secret=("password_hash",),
        without=("status", "status_at", "device", "token_version", "created_at"),
    )
    audited("groups", "group", without=("created_at",))
    audited_set("group_members", "group", named_by="group_id")
    audited_set("schedules", "account", named_by="account_id")
    audited("shops", "shop", without=("policy_rev", "created_at"), on="INSERT OR UPDATE")
    audited_set("shop_origins", "origins", named_by="surface")
    audited("identity_keys", "identity_key", named_by="kid", secret=("secret",), without=("created_at",))
    audited("api_keys", "api_key", secret=("hash",), without=("created_at",))
    audited("roles", "role", named_by="role", without=("rev",))
    audited("break_glass", "account", named_by="account_id")
    audited("file_settings", "shop", named_by="shop_id", without=("rev",))
    # What the shop's systems and the customers themselves bring is no change of a right; who looks after them is.
    audited(
        "customers",
        "customer",
        without=("external_id", "name", "anonymous", "first_paid_at", "last_bought_at", "created_at"),
        on="UPDATE OF tags, owner_id",
        only_people=True,
    )
