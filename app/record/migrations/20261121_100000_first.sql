-- Patients: the pair of issuer and id is the identity. Without an id nobody can be told from anybody, so the
-- scope holds the study then and no two studies share a patient.
CREATE TABLE patient (
    patient_pk       INTEGER PRIMARY KEY,
    issuer           TEXT NOT NULL,
    patient_id       TEXT NOT NULL,
    scope            TEXT NOT NULL DEFAULT '',
    name_alphabetic  TEXT NOT NULL DEFAULT '',
    name_ideographic TEXT NOT NULL DEFAULT '',
    name_phonetic    TEXT NOT NULL DEFAULT '',
    sex              TEXT NOT NULL DEFAULT '',
    birth_date       TEXT,
    UNIQUE (issuer, patient_id, scope)
);

CREATE TABLE study (
    study_pk         INTEGER PRIMARY KEY,
    study_uid        TEXT NOT NULL UNIQUE,
    patient_pk       INTEGER NOT NULL REFERENCES patient,
    study_id         TEXT NOT NULL DEFAULT '',
    date             TEXT,
    time             TEXT,
    description      TEXT NOT NULL DEFAULT '',
    accession        TEXT NOT NULL DEFAULT '',
    institution      TEXT NOT NULL DEFAULT '',
    referring        TEXT NOT NULL DEFAULT '',
    request          TEXT NOT NULL DEFAULT '',
    clinical_history TEXT NOT NULL DEFAULT '',
    age              TEXT,
    modalities       TEXT NOT NULL DEFAULT '',
    n_instances      INTEGER NOT NULL DEFAULT 0,
    sort_date        TEXT NOT NULL DEFAULT '',
    sort_name        TEXT NOT NULL DEFAULT '',
    -- The same words as in study_text, plain: for queries that fit so many studies that reading along is faster.
    words            TEXT NOT NULL DEFAULT '',
    read_state       TEXT NOT NULL DEFAULT 'unread',
    report_state     TEXT NOT NULL DEFAULT 'none',
    local_state      TEXT NOT NULL DEFAULT 'complete',
    outbox_state     TEXT NOT NULL DEFAULT 'none',
    received_at      TEXT NOT NULL
);
CREATE INDEX study_by_date ON study (sort_date DESC, study_pk DESC);
CREATE INDEX study_by_name ON study (sort_name, study_pk);
CREATE INDEX study_by_patient ON study (patient_pk);
CREATE INDEX study_by_read ON study (read_state);
CREATE INDEX study_by_report ON study (report_state);
CREATE INDEX study_by_local ON study (local_state);
CREATE INDEX study_by_outbox ON study (outbox_state);

-- Overlapping pairs of characters, so that any part of a name or number is found, Chinese or not (worklist.rs).
CREATE VIRTUAL TABLE study_text USING fts5 (
    pairs, modality, content = '', contentless_delete = 1, detail = 'full', prefix = '3 5', tokenize = "unicode61 remove_diacritics 0"
);

CREATE TABLE series (
    series_pk              INTEGER PRIMARY KEY,
    series_uid             TEXT NOT NULL UNIQUE,
    study_pk               INTEGER NOT NULL REFERENCES study,
    number                 INTEGER,
    modality               TEXT NOT NULL DEFAULT '',
    description            TEXT NOT NULL DEFAULT '',
    body_part              TEXT NOT NULL DEFAULT '',
    laterality             TEXT NOT NULL DEFAULT '',
    frame_of_reference_uid TEXT,
    n_instances            INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX series_by_study ON series (study_pk);

CREATE TABLE instance (
    instance_pk     INTEGER PRIMARY KEY,
    instance_uid    TEXT NOT NULL UNIQUE,
    series_pk       INTEGER NOT NULL REFERENCES series,
    sop_class       TEXT NOT NULL,
    transfer_syntax TEXT NOT NULL,
    instance_number INTEGER,
    rows            INTEGER NOT NULL DEFAULT 0,
    columns         INTEGER NOT NULL DEFAULT 0,
    frames          INTEGER NOT NULL DEFAULT 0,
    has_pixels      INTEGER NOT NULL DEFAULT 0,
    dataset_sha256  BLOB NOT NULL,
    object_file     TEXT NOT NULL UNIQUE,
    bytes           INTEGER NOT NULL,
    warnings        TEXT NOT NULL DEFAULT '[]',
    came_from       TEXT NOT NULL DEFAULT '',
    at              TEXT NOT NULL
);
CREATE INDEX instance_by_series ON instance (series_pk);

-- What may not enter as it is: the same UID with other content, a study under another patient.
CREATE TABLE conflict (
    conflict_pk    INTEGER PRIMARY KEY,
    instance_uid   TEXT NOT NULL,
    study_uid      TEXT NOT NULL,
    dataset_sha256 BLOB NOT NULL,
    object_file    TEXT NOT NULL UNIQUE,
    bytes          INTEGER NOT NULL,
    reason         TEXT NOT NULL,
    state          TEXT NOT NULL,
    came_from      TEXT NOT NULL DEFAULT '',
    at             TEXT NOT NULL,
    UNIQUE (instance_uid, dataset_sha256)
);
CREATE INDEX conflict_by_study ON conflict (study_uid);

-- The same image in another encoding: remembered, so that it need not be decoded again.
CREATE TABLE instance_twin (
    instance_uid   TEXT NOT NULL,
    dataset_sha256 BLOB NOT NULL,
    PRIMARY KEY (instance_uid, dataset_sha256)
) WITHOUT ROWID;

CREATE TABLE receipt (
    receipt_pk INTEGER PRIMARY KEY,
    at         TEXT NOT NULL,
    content    TEXT NOT NULL
);

-- Revisions, not updates.
CREATE TABLE finding (
    finding_pk INTEGER PRIMARY KEY,
    finding_id TEXT NOT NULL UNIQUE,
    study_uid  TEXT NOT NULL,
    revision   INTEGER NOT NULL
);
CREATE INDEX finding_by_study ON finding (study_uid);
CREATE TABLE finding_revision (
    finding_id TEXT NOT NULL REFERENCES finding (finding_id),
    revision   INTEGER NOT NULL,
    content    TEXT NOT NULL,
    who        TEXT NOT NULL,
    at         TEXT NOT NULL,
    PRIMARY KEY (finding_id, revision)
) WITHOUT ROWID;

CREATE TABLE segment (
    segment_pk INTEGER PRIMARY KEY,
    segment_id TEXT NOT NULL UNIQUE,
    study_uid  TEXT NOT NULL,
    series_uid TEXT NOT NULL,
    revision   INTEGER NOT NULL
);
CREATE INDEX segment_by_series ON segment (series_uid);
CREATE TABLE segment_revision (
    segment_id TEXT NOT NULL REFERENCES segment (segment_id),
    revision   INTEGER NOT NULL,
    content    TEXT NOT NULL,
    who        TEXT NOT NULL,
    at         TEXT NOT NULL,
    PRIMARY KEY (segment_id, revision)
) WITHOUT ROWID;

CREATE TABLE plan (
    plan_pk   INTEGER PRIMARY KEY,
    plan_id   TEXT NOT NULL UNIQUE,
    study_uid TEXT NOT NULL,
    revision  INTEGER NOT NULL
);
CREATE INDEX plan_by_study ON plan (study_uid);
CREATE TABLE plan_revision (
    plan_id  TEXT NOT NULL REFERENCES plan (plan_id),
    revision INTEGER NOT NULL,
    content  TEXT NOT NULL,
    who      TEXT NOT NULL,
    at       TEXT NOT NULL,
    PRIMARY KEY (plan_id, revision)
) WITHOUT ROWID;

CREATE TABLE report (
    report_pk  INTEGER PRIMARY KEY,
    report_id  TEXT NOT NULL UNIQUE,
    study_uid  TEXT NOT NULL,
    template   TEXT NOT NULL,
    lang       TEXT NOT NULL,
    state      TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    -- Raised when a preliminary report is opened again: its signatures then count no more.
    round      INTEGER NOT NULL DEFAULT 1,
    amends     TEXT,
    created_by TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX report_by_study ON report (study_uid);
-- The journal: one row for every edit, never changed. The inverse serves undo, which appends an edit: `undoes` is
-- then the revision it takes back, 0 for an edit that the station made by itself and nobody undoes.
CREATE TABLE report_edit (
    report_id TEXT NOT NULL REFERENCES report (report_id),
    revision  INTEGER NOT NULL,
    ops       TEXT NOT NULL,
    inverse   TEXT NOT NULL,
    source    TEXT NOT NULL,
    undoes    INTEGER,
    who       TEXT NOT NULL,
    at        TEXT NOT NULL,
    PRIMARY KEY (report_id, revision)
) WITHOUT ROWID;
-- Whole documents now and then, so that opening a report replays few edits.
CREATE TABLE report_snapshot (
    report_id TEXT NOT NULL REFERENCES report (report_id),
    revision  INTEGER NOT NULL,
    document  TEXT NOT NULL,
    PRIMARY KEY (report_id, revision)
) WITHOUT ROWID;
CREATE TABLE report_signature (
    signature_pk INTEGER PRIMARY KEY,
    report_id    TEXT NOT NULL REFERENCES report (report_id),
    version      INTEGER NOT NULL,
    round        INTEGER NOT NULL,
    state        TEXT NOT NULL,
    revision     INTEGER NOT NULL,
    person_id    TEXT NOT NULL,
    person_name  TEXT NOT NULL,
    role         TEXT NOT NULL,
    at           TEXT NOT NULL,
    sha256       TEXT NOT NULL,
    content      TEXT NOT NULL,
    findings     TEXT NOT NULL,
    sr_instance  TEXT NOT NULL,
    pdf_instance TEXT NOT NULL,
    pdf_sha256   TEXT NOT NULL,
    UNIQUE (report_id, version)
);
-- Signed is signed.
CREATE TRIGGER report_signature_stays BEFORE UPDATE ON report_signature
BEGIN SELECT RAISE(ABORT, 'a signature never changes'); END;
CREATE TRIGGER report_signature_remains BEFORE DELETE ON report_signature
BEGIN SELECT RAISE(ABORT, 'a signature is never removed'); END;
CREATE TRIGGER report_edit_stays BEFORE UPDATE ON report_edit
BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;
CREATE TRIGGER report_edit_remains BEFORE DELETE ON report_edit
BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END;

CREATE TABLE key_image (
    key_image_pk INTEGER PRIMARY KEY,
    key_image_id TEXT NOT NULL UNIQUE,
    study_uid    TEXT NOT NULL,
    instance_uid TEXT NOT NULL,
    object_file  TEXT NOT NULL UNIQUE,
    caption      TEXT NOT NULL,
    sha256       TEXT NOT NULL,
    in_report    INTEGER NOT NULL DEFAULT 1,
    who          TEXT NOT NULL,
    at           TEXT NOT NULL
);
CREATE INDEX key_image_by_study ON key_image (study_uid);

CREATE TABLE person (
    person_pk INTEGER PRIMARY KEY,
    name      TEXT NOT NULL,
    role      TEXT NOT NULL,
    UNIQUE (name, role)
);

-- One row: the UID of this installation, named as the device in what it makes.
CREATE TABLE station (one INTEGER PRIMARY KEY CHECK (one = 1), uid TEXT NOT NULL);

CREATE TABLE server (
    name TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    aet  TEXT NOT NULL,
    our_aet TEXT NOT NULL
) WITHOUT ROWID;

-- Times of the outbox are milliseconds since 1970, so that they compare.
CREATE TABLE outbox (
    outbox_pk    INTEGER PRIMARY KEY,
    instance_uid TEXT NOT NULL,
    study_uid    TEXT NOT NULL,
    server       TEXT NOT NULL,
    state        TEXT NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    evidence     TEXT,
    reason       TEXT,
    not_before   INTEGER NOT NULL DEFAULT 0,
    lease_by     TEXT,
    lease_until  INTEGER NOT NULL DEFAULT 0,
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    UNIQUE (instance_uid, server)
);
CREATE INDEX outbox_by_state ON outbox (state, not_before);
CREATE INDEX outbox_by_study ON outbox (study_uid);

-- Each row holds the hash of the one before it, so that a row taken out or changed is noticed.
CREATE TABLE audit (
    audit_pk INTEGER PRIMARY KEY,
    at       TEXT NOT NULL,
    who      TEXT NOT NULL,
    what     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    detail   TEXT NOT NULL,
    hash     BLOB NOT NULL
);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END;
CREATE TRIGGER audit_remains BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END;

-- One number that every writing transaction raises: the notice of change for other processes.
CREATE TABLE data_version (one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL);
INSERT INTO data_version VALUES (1, 0);
