//! The end of a process.

use service_kit::program;
use std::{process::ExitCode, sync::mpsc, time::Duration};

/// A computation that never ends, as a hung one does not.
#[test]
fn blocking_work_that_hangs_does_not_keep_the_process() {
    let (end, ended) = mpsc::channel::<()>();
    let (done, finished) = mpsc::channel();
    std::thread::spawn(move || {
        let code = program::run(async move {
            let (begin, begun) = tokio::sync::oneshot::channel();
            tokio::task::spawn_blocking(move || {
                let _listening = begin.send(());
                ended.recv()
            });
            begun.await.expect("it begins");
            ExitCode::from(7)
        });
        done.send(code).expect("the test listens");
    });
    let code = finished.recv_timeout(Duration::from_secs(60)).expect("the process ends");
    assert_eq!(code, ExitCode::from(7));
    drop(end);
}
