-- Which objects were taken as results, what came of the algorithm, and which finding each item of them became.
CREATE TABLE result (
    instance_uid TEXT PRIMARY KEY,
    outcome      TEXT,
    -- The newest instance of the record then: what came later may be its images.
    newest_pk    INTEGER NOT NULL,
    at           TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE result_item (
    instance_uid TEXT NOT NULL REFERENCES result,
    item         TEXT NOT NULL,
    finding_id   TEXT NOT NULL REFERENCES finding (finding_id),
    PRIMARY KEY (instance_uid, item)
) WITHOUT ROWID;
CREATE INDEX result_item_by_finding ON result_item (finding_id);
CREATE INDEX instance_by_sop_class ON instance (sop_class);
