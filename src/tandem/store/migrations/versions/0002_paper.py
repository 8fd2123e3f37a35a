"""The paper broker's accounts, orders, executions, charges and documents."""

from alembic import op

revision = "0002"
down_revision = "0001"

PAPER = """
CREATE TABLE paper_accounts (
    world integer PRIMARY KEY REFERENCES worlds,
    starting_cash numeric NOT NULL,
    epoch bigint NOT NULL DEFAULT 0,
    ledger jsonb,
    cash numeric GENERATED ALWAYS AS ((ledger ->> 'cash')::numeric) STORED,
    realised numeric GENERATED ALWAYS AS ((ledger ->> 'realised')::numeric) STORED,
    reel jsonb,
    place jsonb
);
CREATE TABLE paper_orders (
    number bigint GENERATED ALWAYS AS IDENTITY,
    world integer NOT NULL REFERENCES paper_accounts,
    client_order_id text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    symbol text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    accepted_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (world, client_order_id),
    UNIQUE (world, id)
);
CREATE TABLE paper_executions (
    number bigint GENERATED ALWAYS AS IDENTITY,
    world integer NOT NULL,
    execution_id text COLLATE "C" NOT NULL,
    client_order_id text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (world, execution_id),
    FOREIGN KEY (world, client_order_id) REFERENCES paper_orders
);
CREATE TABLE paper_charges (
    world integer NOT NULL REFERENCES paper_accounts,
    number integer NOT NULL,
    day date NOT NULL,
    symbol text COLLATE "C" NOT NULL,
    dollars numeric NOT NULL,
    PRIMARY KEY (world, number)
);
CREATE TABLE paper_documents (
    world integer NOT NULL REFERENCES paper_accounts,
    name text COLLATE "C" NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (world, name)
);
"""


def upgrade() -> None:
    """Create the tables."""
    op.get_bind().connection.cursor().execute(PAPER)
