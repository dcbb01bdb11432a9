-- What people sign PDFs with. The database is encrypted; the key never leaves it.
CREATE TABLE person_certificate (
    person_pk INTEGER PRIMARY KEY REFERENCES person (person_pk),
    key_der   BLOB NOT NULL,
    chain_pem BLOB NOT NULL,
    added_at  TEXT NOT NULL
);
