//! People who work at the station, and the hospital's servers.

use crate::audit::note;
use crate::{Error, Record, Result};
use mj_model::person::{Person, Role};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::Row as _;

/// A server of the hospital that speaks DICOM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// What people call it.
    pub name: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Its application entity title, at most 16 characters.
    pub aet: String,
    /// Our own title, as the server knows us.
    #[serde(default = "our_usual_aet")]
    pub our_aet: String,
}

fn our_usual_aet() -> String {
    "MINGJING".to_owned()
}

impl Record {
    /// Adds a person. The same name and role again gives the person that is there.
    ///
    /// # Errors
    /// [`Error::Unusable`] for an empty name; database errors.
    pub async fn add_person(&self, name: &str, role: Role) -> Result<Person> {
        let name = name.trim();
        if name.is_empty() || name.len() > 200 {
            return Err(Error::Unusable { field: "name", value: name.to_owned() });
        }
        let mut tx = self.write().await?;
        let added = sqlx::query("INSERT OR IGNORE INTO person (name, role) VALUES (?, ?)")
            .bind(name)
            .bind(role_text(role))
            .execute(tx.conn())
            .await?;
        let pk: i64 = sqlx::query_scalar("SELECT person_pk FROM person WHERE name = ? AND role = ?")
            .bind(name)
            .bind(role_text(role))
            .fetch_one(tx.conn())
            .await?;
        let person = Person { id: format!("u{pk}"), name: name.to_owned(), role };
        if added.rows_affected() > 0 {
            note(&mut tx, &person.id, "person.added", &person.id, &json!({ "role": role_text(role) })).await?;
            tx.commit().await?;
        }
        Ok(person)
    }

    /// All people, in the order they were added.
    ///
    /// # Errors
    /// Database errors.
    pub async fn people(&self) -> Result<Vec<Person>> {
        let mut conn = self.read().await?;
        let rows = sqlx::query("SELECT person_pk, name, role FROM person ORDER BY person_pk").fetch_all(&mut *conn).await?;
        rows.iter().map(person_of).collect()
    }

    /// A person by id, or by name where only one has it.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Ambiguous`]; database errors.
    pub async fn person(&self, id: &str) -> Result<Person> {
        let mut found: Vec<Person> = self.people().await?;
        if let Some(exact) = found.iter().position(|p| p.id == id) {
            return Ok(found.swap_remove(exact));
        }
        found.retain(|p| p.name == id);
        match found.len() {
            0 => Err(Error::Unknown(id.to_owned())),
            1 => Ok(found.swap_remove(0)),
            _ => Err(Error::Ambiguous { id: id.to_owned(), candidates: found.into_iter().map(|p| p.id).collect() }),
        }
    }

    /// Adds a server, or changes the one of this name.
    ///
    /// # Errors
    /// [`Error::Unusable`] for an empty name or host, or a title that DICOM does not allow; database errors.
    pub async fn add_server(&self, server: Server) -> Result<Server> {
        let title_fits =
            |aet: &str| !aet.trim().is_empty() && aet.len() <= 16 && aet.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'\\');
        for (field, value, is_usable) in [
            ("name", &server.name, !server.name.trim().is_empty()),
            ("host", &server.host, !server.host.trim().is_empty()),
            ("aet", &server.aet, title_fits(&server.aet)),
            ("our_aet", &server.our_aet, title_fits(&server.our_aet)),
        ] {
            if !is_usable {
                return Err(Error::Unusable { field, value: value.clone() });
            }
        }
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO server (name, host, port, aet, our_aet) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (name) DO UPDATE SET host = ?2, port = ?3, aet = ?4, our_aet = ?5",
        )
        .bind(&server.name)
        .bind(&server.host)
        .bind(server.port)
        .bind(&server.aet)
        .bind(&server.our_aet)
        .execute(tx.conn())
        .await?;
        note(&mut tx, "", "server.added", &server.name, &json!({ "host": server.host, "port": server.port, "aet": server.aet })).await?;
        tx.commit().await?;
        Ok(server)
    }

    /// All servers, by name.
    ///
    /// # Errors
    /// Database errors.
    pub async fn servers(&self) -> Result<Vec<Server>> {
        let mut conn = self.read().await?;
        let rows = sqlx::query("SELECT name, host, port, aet, our_aet FROM server ORDER BY name").fetch_all(&mut *conn).await?;
        rows.iter()
            .map(|row| {
                Ok(Server {
                    name: row.try_get("name")?,
                    host: row.try_get("host")?,
                    port: row.try_get("port")?,
                    aet: row.try_get("aet")?,
                    our_aet: row.try_get("our_aet")?,
                })
            })
            .collect()
    }

    /// A server by name.
    ///
    /// # Errors
    /// [`Error::Unknown`]; database errors.
    pub async fn server(&self, name: &str) -> Result<Server> {
        self.servers().await?.into_iter().find(|s| s.name == name).ok_or_else(|| Error::Unknown(name.to_owned()))
    }
}

fn person_of(row: &sqlx::sqlite::SqliteRow) -> Result<Person> {
    let pk: i64 = row.try_get("person_pk")?;
    let role = serde_json::from_value(json!(row.try_get::<&str, _>("role")?)).map_err(|_bad| Error::Stored("role"))?;
    Ok(Person { id: format!("u{pk}"), name: row.try_get("name")?, role })
}

/// A role as it is stored.
pub(crate) const fn role_text(role: Role) -> &'static str {
    match role {
        Role::Reporting => "reporting",
        Role::Reviewing => "reviewing",
        Role::Surgeon => "surgeon",
        Role::Engineer => "engineer",
    }
}
