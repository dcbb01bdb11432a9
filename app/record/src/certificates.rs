//! People's certificates: with one, a person's signature stands in the PDF itself, where anybody can verify it.

use crate::audit::note;
use crate::{Error, Record, Result};
use mj_model::Moment;
use mj_model::person::Person;
use mj_sign::Identity;
use mj_sign::pdf::Stamp;
use serde_json::json;
use sqlx::{Row as _, SqliteConnection};

impl Record {
    /// Gives a person a certificate to sign with; it takes the place of the one before. Signatures that are there stay.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a person who is not here; [`Error::Sign`] when it is not valid now; database errors.
    pub async fn set_certificate(&self, person: &str, identity: &Identity, who: &str) -> Result<Person> {
        let person = self.person(person).await?;
        let now = mj_model::clock::now();
        identity.valid_at(now)?;
        let mut tx = self.write().await?;
        sqlx::query("INSERT OR REPLACE INTO person_certificate VALUES (?, ?, ?, ?)")
            .bind(pk(&person)?)
            .bind(identity.key_der()?.to_vec())
            .bind(identity.chain_pem()?)
            .bind(now.to_string())
            .execute(tx.conn())
            .await?;
        note(&mut tx, who, "person.certificate", &person.id, &json!({})).await?;
        tx.commit().await?;
        Ok(person)
    }
}

/// The PDF with the person's own signature in it; as it is where the person has no certificate.
pub(crate) async fn signed_by(conn: &mut SqliteConnection, pdf: &[u8], person: &Person, at: Moment) -> Result<Vec<u8>> {
    let row =
        sqlx::query("SELECT key_der, chain_pem FROM person_certificate WHERE person_pk = ?").bind(pk(person)?).fetch_optional(conn).await?;
    let Some(row) = row else { return Ok(pdf.to_vec()) };
    let key = zeroize::Zeroizing::new(row.try_get::<Vec<u8>, _>("key_der")?);
    let identity = Identity::from_kept(&key, &row.try_get::<Vec<u8>, _>("chain_pem")?)?;
    Ok(mj_sign::pdf::sign(pdf, &identity, &Stamp { name: &person.name, reason: crate::people::role_text(person.role), at })?)
}

fn pk(person: &Person) -> Result<i64> {
    person.id.strip_prefix('u').and_then(|id| id.parse().ok()).ok_or(Error::Stored("person"))
}
