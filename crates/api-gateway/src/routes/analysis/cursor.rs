//! The cursor of a list of pages: text that a client gives back. It never names what is not there; whether it is of the
//! same list is for the caller to compare.

use domain::MigrationId;

/// Where a list stopped: the bits of migration and run, and the last number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) scope: u32,
    pub(crate) number: i32,
}

impl Cursor {
    pub(crate) fn after(id: MigrationId, run: i32, number: i32) -> Self {
        Self { scope: Self::scope(id, run), number }
    }

    pub(crate) fn scope(id: MigrationId, run: i32) -> u32 {
        let hash = blake3::hash(format!("{id} {run}").as_bytes());
        let [a, b, c, d, ..] = *hash.as_bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    pub(crate) fn text(self) -> String {
        format!("{:08x}{:x}", self.scope, self.number)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        let (scope, number) = text.split_at_checked(8).filter(|_| plain)?;
        Some(Self {
            scope: u32::from_str_radix(scope, 16).ok()?,
            number: i32::from_str_radix(number, 16).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_is_one() {
        let id = MigrationId(Uuid::from_u128(7));
        let cursor = Cursor::after(id, 1, 250);
        assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        assert_ne!(Cursor::scope(id, 1), Cursor::scope(id, 2));
        assert_ne!(Cursor::scope(id, 1), Cursor::scope(MigrationId(Uuid::from_u128(8)), 1));
        let endless = "f".repeat(100_000);
        for wrong in ["", "1", "0123456", "01234567", "012345678g", "01234567-1", "é1234567", &endless] {
            assert_eq!(Cursor::parse(wrong), None, "{wrong:.40}");
        }
    }
}
