//! The example website is compiled in: a change of its files is a change of this crate.

fn main() {
    println!("cargo:rerun-if-changed=example-site");
}
