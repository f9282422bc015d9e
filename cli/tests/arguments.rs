//! What the command says of its arguments, without a network.

mod support;

use support::perpetua;

#[test]
fn every_subcommand_teaches_with_examples() {
    let commands: [&[&str]; 16] = [
        &[],
        &["markets"],
        &["ladder"],
        &["quote"],
        &["account"],
        &["deposit"],
        &["withdraw"],
        &["open"],
        &["close"],
        &["pool"],
        &["pool", "deposit"],
        &["history"],
        &["keeper"],
        &["admin"],
        &["price"],
        &["completions"],
    ];
    for command in commands {
        let run = perpetua(&[command, &["--help"]].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        let taught = run.stdout.contains("Examples") || command == ["price"];
        assert!(taught && run.stdout.contains("Usage: perpetua"), "{command:?}: {}", run.stdout);
    }
}

#[test]
fn wrong_arguments_exit_with_two_and_are_told_as_json_where_that_was_asked_for() {
    for wrong in [
        &["open", "TSLAx", "call", "60000", "1"][..],
        &["open", "TSLAx:BTC", "sideways", "60000", "1"],
        &["ladder", "TSLAx:BTC", "--around", "29"],
        &["close", "TSLAx:BTC", "call", "tick:x", "1"],
        &["pool", "deposit", "TSLAx", "third", "1"],
        &["nothing"],
    ] {
        let run = perpetua(wrong);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{wrong:?}");
        let run = perpetua(&[wrong, &["--json"]].concat());
        let error = run.json()["error"].clone();
        assert_eq!((run.code, &error["kind"]), (2, &"usage".into()), "{wrong:?}");
        assert!(!error["cause"].as_str().unwrap().is_empty());
    }
}

#[test]
fn what_is_wrong_with_a_value_is_told_with_its_remedy_before_the_network_is_asked() {
    let told = |arguments: &[&str]| {
        let nobody = ["--url", "http://127.0.0.1:9"];
        let url = if arguments.contains(&"--url") { &[][..] } else { &nobody };
        let run = perpetua(&[arguments, url, &["--json"]].concat());
        assert_eq!(run.code, 1, "{}", run.stdout);
        let error = run.json()["error"].clone();
        format!("{} | {}", error["cause"].as_str().unwrap(), error["remedy"].as_str().unwrap())
    };
    assert!(told(&["open", "TSLAx:BTC", "call", "1", "1e3"]).contains("the size \"1e3\" cannot be used"));
    let fine = told(&["open", "TSLAx:BTC", "call", "1", "0.0000001"]);
    assert!(fine.contains("no more than 6 decimal places | leave out the last places"), "{fine}");
    assert!(told(&["open", "TSLAx:BTC", "call", "1", "1", "--slippage", "101"]).contains("more than 100%"));
    assert!(told(&["markets", "--config", "/nowhere.yml"]).contains("nowhere.yml"));
    assert!(told(&["markets", "--url", "nowhere"]).contains("starts with http"));
}

#[test]
fn a_network_that_does_not_answer_exits_with_three() {
    let run = perpetua(&["markets", "--url", "http://127.0.0.1:9", "--json"]);
    let error = run.json()["error"].clone();
    assert_eq!((run.code, &error["kind"]), (3, &"network".into()));
    assert!(error["remedy"].as_str().unwrap().contains("endpoint"), "{error}");
}

#[test]
fn completions_know_every_subcommand() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = perpetua(&["completions", shell]).stdout;
        assert!(script.contains("acknowledge-mint") && script.contains("ladder"), "{shell}");
    }
}
