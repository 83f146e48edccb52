-- What workers agree on. Repeatable: every statement leaves alone what is there.
CREATE TABLE IF NOT EXISTS reconciler_target (
    target text PRIMARY KEY,
    submission bigint NOT NULL DEFAULT 0,
    total integer NOT NULL DEFAULT 0,
    submitted_at timestamptz,
    surveyed_at timestamptz,
    objects integer NOT NULL DEFAULT 0,
    orphans integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    paused_until timestamptz NOT NULL DEFAULT 'epoch',
    trouble text
);
-- What the last whole list of a target showed. `key` is null for what is not ours.
CREATE TABLE IF NOT EXISTS reconciler_object (
    target text NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    key text,
    name text,
    mark text,
    created double precision NOT NULL DEFAULT 0,
    submission bigint NOT NULL,
    PRIMARY KEY (target, kind, id)
);
ALTER TABLE reconciler_object ADD COLUMN IF NOT EXISTS folded text;
ALTER TABLE reconciler_object ADD COLUMN IF NOT EXISTS content text;
ALTER TABLE reconciler_object ADD COLUMN IF NOT EXISTS other_key text;
-- Of objects that are ours and have no manifest: digests of what a new manifest may say nearly the same as, no texts.
ALTER TABLE reconciler_object ADD COLUMN IF NOT EXISTS frame text;
ALTER TABLE reconciler_object ADD COLUMN IF NOT EXISTS pieces text;
CREATE INDEX IF NOT EXISTS reconciler_object_key ON reconciler_object (target, kind, key) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS reconciler_object_folded ON reconciler_object (target, kind, folded);
CREATE INDEX IF NOT EXISTS reconciler_object_content ON reconciler_object (target, kind, content);
CREATE INDEX IF NOT EXISTS reconciler_object_frame ON reconciler_object (target, kind, frame) WHERE frame IS NOT NULL;
CREATE INDEX IF NOT EXISTS reconciler_object_other ON reconciler_object (target, kind, other_key) WHERE other_key IS NOT NULL;
-- Creates: the one nonce that may be sent for an address, from before it is sent until a whole list shows the object.
CREATE TABLE IF NOT EXISTS reconciler_attempt (
    target text NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    nonce text NOT NULL,
    at timestamptz NOT NULL,
    id text,
    PRIMARY KEY (target, kind, key)
);
-- What became of each address in the last submission that got to it.
CREATE TABLE IF NOT EXISTS reconciler_result (
    target text NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    submission bigint NOT NULL,
    action text NOT NULL,
    result text NOT NULL,
    id text,
    code text,
    said text,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (target, kind, key)
);
-- The rate gates. Worth nothing after a crash, so it is not logged.
CREATE UNLOGGED TABLE IF NOT EXISTS reconciler_gate (
    key text PRIMARY KEY,
    due double precision NOT NULL
) WITH (fillfactor = 10);
-- Steps of the queue's own schema that were applied.
CREATE TABLE IF NOT EXISTS reconciler_migration (name text PRIMARY KEY);
