"""The ledger's tables, as the steps that make them; a step is never changed, one is added.

`PRAGMA user_version` counts the steps that a file has had. docs/batch.md describes
the tables for who opens the file with another program.
"""

from __future__ import annotations

_FIRST = """
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  started TEXT NOT NULL,      -- UTC, ISO 8601
  ended TEXT,                 -- NULL: running, or killed
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  engine TEXT NOT NULL,       -- version of hrm + digest of its definitions
  state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'interrupted', 'lost')),
  inputs INTEGER NOT NULL     -- how many the run was asked for
);

CREATE TABLE study (
  id INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL,       -- of the recording's file
  settings_id TEXT NOT NULL,  -- digest of settings
  engine TEXT NOT NULL,
  review_hash TEXT NOT NULL,  -- head of the review log, '' without one
  study_id TEXT NOT NULL,     -- the study's pseudonym in every export
  participant TEXT,
  visit TEXT,
  settings TEXT NOT NULL,     -- JSON: what was said of the file
  result TEXT NOT NULL,       -- JSON: the published contract
  thumbnail BLOB,             -- PNG of the pressure topography
  UNIQUE (sha256, settings_id, engine, review_hash)
);

CREATE TABLE input (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,  -- the only place that holds a path
  size INTEGER,
  modified_ns INTEGER,
  sha256 TEXT,                -- of the content with this size and time
  manifest_row INTEGER,       -- row of the manifest, NULL without one
  run_id INTEGER REFERENCES run(id),         -- the last run that was asked for it
  attempt_id INTEGER REFERENCES attempt(id), -- the last attempt
  study INTEGER REFERENCES study(id)         -- the result that holds, NULL: none
);

CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,
  run_id INTEGER NOT NULL REFERENCES run(id),
  input_id INTEGER NOT NULL REFERENCES input(id),
  sha256 TEXT,
  settings_id TEXT NOT NULL,
  engine TEXT NOT NULL,
  review_hash TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('ok', 'failed', 'quarantined')),
  cause TEXT,                 -- word for the kind of failure
  message TEXT,               -- what was expected and found; never a path or a header's text
  advice TEXT,                -- what to do about it
  ended TEXT NOT NULL,
  seconds REAL NOT NULL
);

CREATE TABLE swallow (
  study INTEGER NOT NULL REFERENCES study(id),
  swallow INTEGER NOT NULL,
  onset_s REAL,
  posture TEXT,
  protocol TEXT,
  evaluable INTEGER NOT NULL,
  reason TEXT,                -- why it is not evaluable
  type TEXT,
  pressurization TEXT,
  PRIMARY KEY (study, swallow)
) WITHOUT ROWID;

CREATE TABLE metric (
  id INTEGER PRIMARY KEY,
  study INTEGER NOT NULL REFERENCES study(id),
  swallow INTEGER,            -- NULL: a number of the study
  metric TEXT NOT NULL,
  value REAL,                 -- NULL: not measured; status says why
  unit TEXT NOT NULL,
  status TEXT NOT NULL,
  metric_version TEXT NOT NULL,
  source TEXT NOT NULL
);
CREATE INDEX metric_of_study ON metric (study, metric);

CREATE TABLE warning (
  id INTEGER PRIMARY KEY,
  attempt_id INTEGER NOT NULL REFERENCES attempt(id),
  study INTEGER REFERENCES study(id),
  message TEXT NOT NULL
);
CREATE INDEX warning_of_study ON warning (study);
"""

#: One step a version: step k brings a file of version k to k + 1.
MIGRATIONS = (_FIRST,)

VERSION = len(MIGRATIONS)
