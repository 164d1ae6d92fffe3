//! Whom the server runs as: Postgres refuses to be root, so root hands it to somebody who owns nothing else.

use super::Error;
use std::{
    fs, io,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
};

/// A user of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

impl Account {
    /// The user that the server must run as; `None` means as we are.
    pub(crate) fn for_server() -> Result<Option<Self>, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let accounts = fs::read_to_string("/etc/passwd").map_err(Error::io("reading /etc/passwd"))?;
        let found = ["postgres", "nobody"].iter().find_map(|name| Self::named(name, &accounts));
        found.map(Some).ok_or(Error::NoAccount)
    }

    fn named(wanted: &str, accounts: &str) -> Option<Self> {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next().filter(|name| *name == wanted)?;
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some(Self { name: name.to_owned(), uid, gid })
        })
    }

    /// Gives a file or folder to this user.
    pub(crate) fn own(&self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
    }

    /// Makes a command run as this user, with no group but its own.
    pub(crate) fn become_in(&self, command: &mut tokio::process::Command) {
        // As root, the standard library drops supplementary groups together with the uid.
        command.uid(self.uid).gid(self.gid);
    }

    /// Can this user pass through every folder above the path?
    pub(crate) fn can_reach(&self, path: &Path) -> Result<(), Error> {
        for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            let found =
                fs::metadata(folder).map_err(Error::io(format!("looking at {}", folder.display())))?;
            let bit = match () {
                () if found.uid() == self.uid => 0o100,
                () if found.gid() == self.gid => 0o010,
                () => 0o001,
            };
            if found.mode() & bit == 0 {
                return Err(Error::Unreachable { account: self.name.clone(), path: folder.to_owned() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_by_its_whole_name() {
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\npostgresql:x:7:7::/:/x\npostgres:x:115:122:,,,:/var:/bin/sh\n";
        let found = Account::named("postgres", accounts);
        assert_eq!(found, Some(Account { name: "postgres".into(), uid: 115, gid: 122 }));
        assert_eq!(Account::named("nobody", accounts), None);
    }
}
