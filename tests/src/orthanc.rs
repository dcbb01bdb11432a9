//! Debian's Orthanc as the hospital's PACS.

use crate::{
    process::{Running, free_port, installed},
    rest,
};
use serde_json::{Value, json};
use std::path::Path;

/// How the PACS is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Its AE title.
    pub aet: String,
    /// Whether callers must use that title.
    pub checks_called_aet: bool,
    /// AE titles and ports of the workstations it knows (all on loopback), to which it can send.
    pub known: Vec<(String, u16)>,
    /// Whether a caller that it does not know may store, find and get.
    pub serves_strangers: bool,
    /// Whether it refuses every C-STORE, with A700 (out of resources).
    pub refuses_to_store: bool,
    /// Character set of its answers, by Orthanc's name: `Utf8`, `Chinese` (GB18030), `Latin1`.
    pub answers_in: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            aet: "ORTHANC".into(),
            checks_called_aet: false,
            known: Vec::new(),
            serves_strangers: true,
            refuses_to_store: false,
            answers_in: "Utf8",
        }
    }
}

/// A running Orthanc with an empty store of its own.
#[derive(Debug)]
pub struct Orthanc {
    /// Its DICOM port.
    pub dicom_port: u16,
    /// Its HTTP port.
    pub http_port: u16,
    /// Its AE title.
    pub aet: String,
    process: Running,
    _folder: tempfile::TempDir,
}

impl Orthanc {
    /// Starts one that serves anybody; `None` when it is not installed (the skip has been printed).
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::with(&Setup::default())
    }

    /// Starts one that takes every association and refuses to store anything: out of resources, A700.
    #[must_use]
    pub fn start_refusing() -> Option<Self> {
        Self::with(&Setup { refuses_to_store: true, ..Setup::default() })
    }

    /// Starts one.
    ///
    /// # Panics
    /// When it is installed and does not start.
    #[must_use]
    pub fn with(setup: &Setup) -> Option<Self> {
        if !installed("Orthanc") {
            return None;
        }
        let mut why = String::new();
        // A port may be taken between its choice and its use.
        for _ in 0..3 {
            match Self::try_start(setup) {
                Ok(orthanc) => return Some(orthanc),
                Err(error) => why = error,
            }
        }
        panic!("{why}");
    }

    fn try_start(setup: &Setup) -> Result<Self, String> {
        let folder = crate::folder();
        let (dicom_port, http_port) = (free_port(), free_port());
        let config = folder.path().join("orthanc.json");
        std::fs::write(&config, configuration(setup, folder.path(), dicom_port, http_port).to_string()).map_err(|e| e.to_string())?;
        let mut process = Running::start("Orthanc", &[config.display().to_string()], &folder.path().join("log"));
        process.wait_for_port(http_port)?;
        process.wait_for_port(dicom_port)?;
        Ok(Self { dicom_port, http_port, aet: setup.aet.clone(), process, _folder: folder })
    }

    /// A GET of its REST interface, as JSON.
    ///
    /// # Panics
    /// When Orthanc does not answer with JSON.
    #[must_use]
    pub fn get(&self, path: &str) -> Value {
        let body = rest::request(self.http_port, "GET", path, &[]).unwrap_or_else(|e| panic!("{e}"));
        serde_json::from_slice(&body).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// A POST of its REST interface, as JSON.
    ///
    /// # Panics
    /// When Orthanc refuses it.
    #[must_use]
    pub fn post(&self, path: &str, body: &[u8]) -> Value {
        let body = rest::request(self.http_port, "POST", path, body).unwrap_or_else(|e| panic!("{e}"));
        serde_json::from_slice(&body).unwrap_or(Value::Null)
    }

    /// Uploads an object; gives Orthanc's id of it.
    pub fn upload(&self, object: &[u8]) -> String {
        text(&self.post("/instances", object)["ID"])
    }

    /// Orthanc's ids of all it holds at a level: `patients`, `studies`, `series`, `instances`; sorted.
    #[must_use]
    pub fn ids(&self, level: &str) -> Vec<String> {
        let mut ids: Vec<String> = self.get(&format!("/{level}")).as_array().into_iter().flatten().map(text).collect();
        ids.sort();
        ids
    }

    /// SOP Instance UIDs of all it holds, sorted.
    #[must_use]
    pub fn instance_uids(&self) -> Vec<String> {
        let mut uids = self.instances().unwrap_or_else(|e| panic!("{e}"));
        uids.sort();
        uids
    }

    /// The same as [`Self::instance_uids`], without failing the test.
    ///
    /// # Errors
    /// What Orthanc said instead.
    pub fn instances(&self) -> Result<Vec<String>, String> {
        let body = rest::request(self.http_port, "GET", "/instances?expand", &[])?;
        let all: Vec<Value> = serde_json::from_slice(&body).map_err(|e| e.to_string())?;
        Ok(all.iter().map(|i| text(&i["MainDicomTags"]["SOPInstanceUID"])).collect())
    }

    /// The stored object of an instance, by Orthanc's id.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn file(&self, id: &str) -> Vec<u8> {
        rest::request(self.http_port, "GET", &format!("/instances/{id}/file"), &[]).unwrap_or_else(|e| panic!("{e}"))
    }

    /// Forgets everything.
    ///
    /// # Panics
    /// When Orthanc refuses.
    pub fn clear(&self) {
        for id in self.ids("patients") {
            rest::request(self.http_port, "DELETE", &format!("/patients/{id}"), &[]).unwrap_or_else(|e| panic!("{e}"));
        }
    }

    /// Sends everything it holds to a workstation of [`Setup::known`], by C-STORE.
    ///
    /// # Panics
    /// When the transfer fails.
    pub fn send_all_to(&self, known: &str) {
        let body = json!({ "Resources": self.ids("patients"), "Synchronous": true }).to_string();
        let done = self.post(&format!("/modalities/{known}/store"), body.as_bytes());
        assert_eq!(done["FailedInstancesCount"], 0, "{done}");
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn configuration(setup: &Setup, folder: &Path, dicom_port: u16, http_port: u16) -> Value {
    let known: serde_json::Map<String, Value> =
        setup.known.iter().map(|(aet, port)| (aet.clone(), json!([aet, "127.0.0.1", port]))).collect();
    let refusing = folder.join("refuse.lua");
    if setup.refuses_to_store {
        // The status that the callback returns is ignored by Orthanc 1.10; an error in it is answered by A700.
        let script = "function ReceivedCStoreInstanceFilter(dicom, origin)\n  error('refused')\nend\n";
        std::fs::write(&refusing, script).unwrap_or_else(|e| panic!("{e}"));
    }
    let scripts = if setup.refuses_to_store { vec![refusing] } else { Vec::new() };
    let open = setup.serves_strangers;
    json!({
        "Name": "test", "StorageDirectory": folder.join("store"), "IndexDirectory": folder.join("store"), "LuaScripts": scripts,
        "HttpPort": http_port, "RemoteAccessAllowed": false, "AuthenticationEnabled": false, "SslEnabled": false, "HttpsVerifyPeers": false,
        "DefaultEncoding": setup.answers_in, "DicomServerEnabled": true, "DicomAet": setup.aet, "DicomPort": dicom_port, "DicomCheckCalledAet": setup.checks_called_aet,
        "DicomAlwaysAllowEcho": open, "DicomAlwaysAllowStore": open, "DicomAlwaysAllowFind": open, "DicomAlwaysAllowGet": open, "DicomAlwaysAllowMove": open,
        "DicomModalities": known, "UnknownSopClassAccepted": true, "OverwriteInstances": true, "StableAge": 2, "DicomThreadsCount": 4,
        // Compressed images stay as they are on the way through.
        "TranscodeDicomProtocol": false,
    })
}
