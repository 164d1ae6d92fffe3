//! The names of a run's objects: by migration, run and purpose, never by attempt (law 4).

use domain::TenantId;
use store::MigrationRun;

/// Makes the keys of one run.
#[derive(Clone, Debug)]
pub(crate) struct Keys(String);

impl Keys {
    pub(crate) fn of(tenant: TenantId, of: MigrationRun) -> Self {
        let MigrationRun { migration, run } = of;
        Self(format!("tenants/{tenant}/migrations/{migration}/run-{run}"))
    }

    fn named(&self, file: &str) -> String {
        format!("{}/{file}", self.0)
    }

    /// What ANALYZE read.
    pub(crate) fn snapshot(&self) -> String {
        self.named("snapshot.json")
    }

    /// What PLAN decided.
    pub(crate) fn plan(&self) -> String {
        self.named("plan.json")
    }

    /// Which files TRANSFORM wrote.
    pub(crate) fn project(&self) -> String {
        self.named("project.json")
    }

    /// Which files VERIFY made of it: pages may be mended, and it says what was found.
    pub(crate) fn compared(&self) -> String {
        self.named("project-compared.json")
    }

    /// What VERIFY found.
    pub(crate) fn report(&self) -> String {
        self.named("report.json")
    }

    /// The project as a zip.
    pub(crate) fn artifact(&self) -> String {
        self.named("artifact.zip")
    }

    /// The hashes of the files in it.
    pub(crate) fn manifest(&self) -> String {
        self.named("manifest.json")
    }
}
