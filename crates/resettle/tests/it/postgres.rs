//! The embedded Postgres as a part: start, stop, what is refused, what is survived.

use crate::scratch::{STARTED, Scratch, runs};
use resettle::{
    data_folder::{DataFolder, Error},
    postgres::{Embedded, OWNER, Programs},
};
use rustix::process::{Signal, kill_process};
use store::{Store, schema};
use testkit::wait;

async fn start(scratch: &Scratch) -> (DataFolder, Embedded) {
    let folder = DataFolder::open(&scratch.data()).expect("the folder is ours");
    let programs = Programs::find().expect("`make test` installs PostgreSQL");
    let postgres = Embedded::start(&folder, &programs).await.unwrap_or_else(|error| panic!("{error}"));
    (folder, postgres)
}

fn owner(postgres: &Embedded) -> store::Options {
    store::Options { url: postgres.url(OWNER), ..store::Options::default() }
}

#[tokio::test]
async fn it_keeps_its_data_over_a_stop_and_leaves_nothing_running() {
    let scratch = Scratch::new();
    let (folder, postgres) = start(&scratch).await;
    let applied = schema::migrate(&owner(&postgres)).await.expect("the schema fits");
    assert_eq!(applied.version, schema::VERSION);
    assert!(!applied.steps.is_empty());
    let pid = scratch.postmaster().expect("it is ready");
    let sockets = postgres.socket_folder().to_owned();
    postgres.stop().await.expect("it stops");
    drop(folder);
    assert!(!runs(pid));
    assert!(!sockets.exists());

    let (_folder, postgres) = start(&scratch).await;
    let again = schema::migrate(&owner(&postgres)).await.expect("the schema is there");
    assert_eq!((again.steps.len(), again.version), (0, schema::VERSION));
    postgres.stop().await.expect("it stops");
}

#[tokio::test]
async fn nobody_else_is_let_in_and_it_listens_on_no_port() {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let scratch = Scratch::new();
    let (_folder, postgres) = start(&scratch).await;
    let sockets = std::fs::metadata(postgres.socket_folder()).expect("there");
    assert_eq!(sockets.mode() & 0o777, 0o700);
    let socket = postgres.socket_folder().join(".s.PGSQL.5432");
    assert!(std::fs::metadata(&socket).expect("there").file_type().is_socket());
    let log = std::fs::read_to_string(scratch.data().join("postgres.log")).expect("there");
    assert!(!log.contains("listening on IP"), "{log}");
    assert!(log.contains(&socket.display().to_string()), "{log}");
    postgres.stop().await.expect("it stops");
}

#[tokio::test]
async fn one_that_dies_is_started_again_at_the_same_socket() {
    let scratch = Scratch::new();
    let (_folder, postgres) = start(&scratch).await;
    let store = Store::connect(&owner(&postgres)).await.expect("it answers");
    let first = scratch.postmaster().expect("it is ready");
    kill_process(first, Signal::KILL).expect("it was there");
    let second = scratch.next_postmaster(Some(first)).await;
    assert_ne!(first, second);
    wait::until("an answer of the new server", STARTED, || async { store.ping().await.ok() }).await;
    assert!(!postgres.ended().is_cancelled());
    postgres.stop().await.expect("it stops");
    assert!(!runs(second));
}

#[tokio::test]
async fn a_stale_pid_file_of_somebody_elses_process_does_not_keep_it_from_starting() {
    let scratch = Scratch::new();
    let (folder, postgres) = start(&scratch).await;
    postgres.stop().await.expect("it stops");
    drop(folder);
    // As after a crash of the machine: the number in the file belongs to another process by now, here to us.
    let data = scratch.data().join("postgres");
    let file = format!(
        "{}\n{}\n1763690000\n5432\n/tmp/gone\n\n  1  1\nready   \n",
        std::process::id(),
        data.display()
    );
    std::fs::write(data.join("postmaster.pid"), file).expect("written");
    let (_folder, postgres) = start(&scratch).await;
    postgres.stop().await.expect("it stops");
}

#[tokio::test]
async fn a_folder_of_another_version_is_refused_with_what_to_do() {
    let scratch = Scratch::new();
    let folder = DataFolder::open(&scratch.data()).expect("the folder is ours");
    std::fs::create_dir(scratch.data().join("postgres")).expect("made");
    std::fs::write(scratch.data().join("postgres/PG_VERSION"), "9\n").expect("written");
    let programs = Programs::find().expect("`make test` installs PostgreSQL");
    let Err(error) = Embedded::start(&folder, &programs).await else { panic!("version 9 cannot be run") };
    let told = error.to_string();
    assert!(told.contains("made by PostgreSQL 9") && told.contains("install PostgreSQL 9"), "{told}");
}

#[tokio::test]
async fn a_folder_is_held_by_one_and_free_afterwards() {
    let scratch = Scratch::new();
    let first = DataFolder::open(&scratch.data()).expect("free");
    let Err(Error::Held { holder, .. }) = DataFolder::open(&scratch.data()) else { panic!("it is held") };
    assert_eq!(holder, format!("process {}", std::process::id()));
    drop(first);
    DataFolder::open(&scratch.data()).expect("free again");
}
