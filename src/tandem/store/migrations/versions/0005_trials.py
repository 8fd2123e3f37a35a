"""Everything that was ever tried, so that the best of it is not taken for skill."""

from alembic import op

revision = "0005"
down_revision = "0004"

TRIALS = """
CREATE TABLE trials (
    family text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    sharpe float8,
    returns integer NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (family, key)
);
COMMENT ON TABLE trials IS 'Trials by what they were, each once in a family however often it is repeated.';
CREATE TRIGGER trials_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trials
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    """Create the ledger."""
    op.get_bind().connection.cursor().execute(TRIALS)
