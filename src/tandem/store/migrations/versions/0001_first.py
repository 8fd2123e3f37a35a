"""Worlds, facts, bars, quarantine, leases, sectors, blobs."""

from alembic import op

revision = "0001"
down_revision = None

WORLDS = """
CREATE TABLE worlds (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    run integer NOT NULL,
    loop integer NOT NULL DEFAULT 0,
    label text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, run, loop)
);
CREATE SEQUENCE world_runs AS integer;
"""

FACTS = """
CREATE TABLE facts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    world integer NOT NULL REFERENCES worlds,
    session date NOT NULL,
    kind text NOT NULL,
    pair text,
    at timestamptz NOT NULL,
    key text NOT NULL,
    body jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (world, key)
);
CREATE INDEX facts_by_kind ON facts (world, kind, id);
CREATE INDEX facts_by_session ON facts (world, session, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'facts are append-only: % is refused', TG_OP;
END $$;
CREATE TRIGGER facts_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON facts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION append_facts(
    the_world integer, sessions date[], kinds text[], pairs text[], ats timestamptz[], keys text[], bodies text[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    added integer;
    conflict text;
BEGIN
    INSERT INTO facts (world, session, kind, pair, at, key, body)
    SELECT the_world, g.session, g.kind, g.pair, g.at, g.key, g.body::jsonb
    FROM unnest(sessions, kinds, pairs, ats, keys, bodies) WITH ORDINALITY
        AS g (session, kind, pair, at, key, body, n)
    ORDER BY g.n
    ON CONFLICT (world, key) DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;
    IF added = cardinality(keys) THEN
        RETURN;
    END IF;
    SELECT g.key INTO conflict
    FROM unnest(sessions, kinds, pairs, ats, keys, bodies) AS g (session, kind, pair, at, key, body)
    JOIN facts f ON f.world = the_world AND f.key = g.key
    WHERE (f.session, f.kind, f.pair, f.at, f.body) IS DISTINCT FROM (g.session, g.kind, g.pair, g.at, g.body::jsonb)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'fact % was recorded before with another content', conflict USING ERRCODE = 'TF001';
    END IF;
END $$;
"""

BARS = """
CREATE TABLE market_data (
    symbol text COLLATE "C" NOT NULL,
    timeframe text COLLATE "C" NOT NULL,
    timestamp timestamptz NOT NULL,
    data_source text COLLATE "C" NOT NULL,
    feed text COLLATE "C" NOT NULL,
    adjustment text COLLATE "C" NOT NULL,
    world text COLLATE "C" NOT NULL DEFAULT '',
    revision smallint NOT NULL DEFAULT 0,
    open float8 NOT NULL,
    high float8 NOT NULL,
    low float8 NOT NULL,
    close float8 NOT NULL,
    volume bigint NOT NULL,
    trade_count bigint,
    vwap float8,
    PRIMARY KEY (timeframe, symbol, timestamp, data_source, feed, adjustment, world, revision)
) PARTITION BY RANGE (timestamp);

CREATE TABLE bars_quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    data_source text NOT NULL,
    timeframe text NOT NULL,
    world text NOT NULL,
    given jsonb NOT NULL,
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX bars_quarantine_once
    ON bars_quarantine (data_source, timeframe, world, md5(given::text), md5(reason));
"""

REST = """
CREATE TABLE leases (
    world integer NOT NULL REFERENCES worlds,
    session date NOT NULL,
    purpose text NOT NULL,
    holder text NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (world, session, purpose)
);
CREATE TABLE sectors (
    symbol text COLLATE "C" PRIMARY KEY,
    sector text NOT NULL,
    industry text NOT NULL DEFAULT '',
    source text NOT NULL DEFAULT ''
);
CREATE INDEX sectors_by_sector ON sectors (sector);
CREATE TABLE blobs (
    digest text COLLATE "C" PRIMARY KEY,
    content bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
"""


def upgrade() -> None:
    """Create everything."""
    cursor = op.get_bind().connection.cursor()
    for statements in (WORLDS, FACTS, BARS, REST):
        cursor.execute(statements)
