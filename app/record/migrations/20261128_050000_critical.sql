-- Critical results: what somebody must be called for, and the call.
CREATE TABLE critical_result (
    critical_pk INTEGER PRIMARY KEY,
    study_uid   TEXT NOT NULL REFERENCES study (study_uid),
    what        TEXT NOT NULL,
    marked_at   TEXT NOT NULL,
    marked_by   TEXT NOT NULL,
    called      TEXT,
    called_at   TEXT,
    called_by   TEXT,
    read_back   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX critical_by_study ON critical_result (study_uid);
CREATE INDEX critical_open ON critical_result (called_at);
