//! The command itself.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Command, Output, Stdio},
};

use solana_keypair::write_keypair_file;
use tempfile::TempDir;

use crate::cluster::{Cluster, STEP};

fn folder(cluster: &mut Cluster, more: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_keypair_file(&cluster.key(), folder.path().join("keeper.json")).unwrap();
    let file = cluster.file(std::slice::from_ref(&cluster.server.url)) + more;
    fs::write(folder.path().join("keeper.toml"), file).unwrap();
    folder
}

fn command(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_perpetua-keeper"));
    command.env("NO_PROXY", "127.0.0.1").arg("--config").arg(folder.path().join("keeper.toml")).args(arguments);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_dry_run_says_what_is_due_and_sends_nothing_and_one_round_does_it() {
    let (mut cluster, _) = Cluster::new(1);
    let folder = folder(&mut cluster, "");
    cluster.pass(STEP);
    let before = cluster.server.chain().snapshot();
    let Output { status, stdout, .. } = command(&folder, &["--dry-run"]).output().unwrap();
    assert!(status.success());
    let told = text(&stdout);
    assert!(told.contains("open_account") && told.contains("crank") && told.contains("2 jobs are due"), "{told}");
    assert_eq!(perpetua_tests::chain::changed(&before, &cluster.server.chain().snapshot()), []);

    let Output { status, stderr, .. } = command(&folder, &["--once"]).output().unwrap();
    let log = text(&stderr);
    assert!(status.success(), "{log}");
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let done = lines.iter().filter(|line| line["message"] == "done");
    let mut kinds: Vec<_> = done.map(|line| line["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["crank", "open_account"]);
}

#[test]
fn it_serves_metrics_and_health_and_stops_when_told() {
    let (mut cluster, _) = Cluster::new(1);
    let folder = folder(&mut cluster, "[metrics]\nlisten = \"127.0.0.1:0\"\nunhealthy_after = \"5s\"\n");
    let mut child = command(&folder, &[]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let address = lines
        .by_ref()
        .map(|line| serde_json::from_str::<serde_json::Value>(&line).unwrap())
        .find_map(|line| line["address"].as_str().map(str::to_owned))
        .unwrap();
    assert!(lines.any(|line| line.contains("open_account")));
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(ask("/health").starts_with("HTTP/1.1 200"));
    let metrics = ask("/metrics");
    assert!(metrics.contains("perpetua_keeper_rounds_total{result=\"ok\"}"), "{metrics}");
    assert!(metrics.contains("perpetua_keeper_jobs_total{kind=\"open_account\",outcome=\"done\"} 1"), "{metrics}");
    let stop = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(stop.success());
    // It still logs; nobody reading that would be a failure of its own.
    lines.for_each(drop);
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_is_wrong_with_the_file_is_said_with_what_to_do() {
    let (mut cluster, _) = Cluster::new(1);
    let folder = folder(&mut cluster, "");
    let refused = |from: &str, to: &str| {
        let path = folder.path().join("keeper.toml");
        let good = fs::read_to_string(&path).unwrap();
        assert!(good.contains(from));
        fs::write(&path, good.replacen(from, to, 1)).unwrap();
        let Output { status, stderr, .. } = command(&folder, &["--once"]).output().unwrap();
        fs::write(&path, good).unwrap();
        assert!(!status.success());
        text(&stderr)
    };
    assert!(refused("100ms", "10ms").contains("schedule.poll is below 100ms"));
    assert!(refused("poll", "pol").contains("unknown field `pol`"));
    assert!(refused("http://", "ftp://").contains("must start with http"));
    assert!(refused("keeper.json", "nobody.json").contains("solana-keygen"));
}
