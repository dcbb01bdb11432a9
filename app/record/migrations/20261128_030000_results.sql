-- Which objects were taken as results to their end, what came of the algorithm, or why nothing could be read.
CREATE TABLE result (
    instance_uid TEXT PRIMARY KEY,
    outcome      TEXT,
    error        TEXT,
    -- The newest instance of the record then: what came later may be its images.
    newest_pk    INTEGER NOT NULL,
    at           TEXT NOT NULL
) WITHOUT ROWID;

-- Which finding each item of an object became; an object that is not taken to its end has some of them.
CREATE TABLE result_item (
    instance_uid TEXT NOT NULL,
    item         TEXT NOT NULL,
    finding_id   TEXT NOT NULL REFERENCES finding (finding_id),
    PRIMARY KEY (instance_uid, item)
) WITHOUT ROWID;
CREATE INDEX result_item_by_finding ON result_item (finding_id);
CREATE INDEX instance_by_sop_class ON instance (sop_class);
