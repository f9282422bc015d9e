use solana_keypair::write_keypair_file;
use solana_signer::Signer;
use tempfile::TempDir;

use super::*;

/// A home directory with a key at `path` and, if given, a configuration of the Solana CLI.
fn home(path: &str, config: Option<&str>) -> (TempDir, Keypair) {
    let home = tempfile::tempdir().unwrap();
    let keypair = Keypair::new();
    write_keypair_file(&keypair, home.path().join(path)).unwrap();
    if let Some(config) = config {
        let file = home.path().join(CLI_CONFIG);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, config).unwrap();
    }
    (home, keypair)
}

#[test]
fn without_a_configuration_the_solana_clis_own_defaults_hold() {
    let (home, keypair) = home(CLI_KEYPAIR, None);
    let settings = Settings::resolve_in(home.path(), None, None, None).unwrap();
    assert_eq!(settings.url, "https://api.mainnet-beta.solana.com");
    assert_eq!(settings.read_keypair().unwrap().pubkey(), keypair.pubkey());
}

#[test]
fn the_solana_clis_configuration_is_followed_and_arguments_go_before_it() {
    let config = "---\njson_rpc_url: \"http://localhost:8899\"\nwebsocket_url: ''\nkeypair_path: ~/mine.json\n\
                  address_labels:\n  '11111111111111111111111111111111': System Program\ncommitment: confirmed\n";
    let (home, keypair) = home("mine.json", Some(config));
    let configured = Settings::resolve_in(home.path(), None, None, None).unwrap();
    assert_eq!(configured.url, "http://localhost:8899");
    assert_eq!(configured.read_keypair().unwrap().pubkey(), keypair.pubkey());

    let other = Keypair::new();
    let path = home.path().join("other.json");
    write_keypair_file(&other, &path).unwrap();
    let given = Settings::resolve_in(home.path(), None, Some("devnet"), path.to_str()).unwrap();
    assert_eq!(given.url, "https://api.devnet.solana.com");
    assert_eq!(given.read_keypair().unwrap().pubkey(), other.pubkey());
}

#[test]
fn a_missing_key_or_a_bad_url_or_configuration_is_told_with_a_remedy() {
    let (home, _) = home("mine.json", Some("json_rpc_url: [\n"));
    let resolve = |url, keypair| Settings::resolve_in(home.path(), None, url, Some(keypair));
    let error = |url| format!("{:#}", resolve(url, "~/mine.json").unwrap_err());
    assert!(error(None).contains("solana config set"));
    fs::write(home.path().join(CLI_CONFIG), "").unwrap();
    assert!(error(Some("nowhere")).contains("starts with http"));
    let error = format!("{:#}", resolve(None, "~/none.json").unwrap().read_keypair().unwrap_err());
    assert!(error.contains("none.json") && error.contains("--keypair"), "{error}");
}

#[test]
fn a_configuration_in_another_place_is_followed_and_must_exist() {
    let (home, _) = home("mine.json", Some("json_rpc_url: http://localhost:8899\n"));
    let other = home.path().join("other.yml");
    let resolve = || Settings::resolve_in(home.path(), Some(&other), None, None);
    assert!(format!("{:#}", resolve().unwrap_err()).contains("other.yml"));
    fs::write(&other, "json_rpc_url: http://localhost:9999\n").unwrap();
    assert_eq!(resolve().unwrap().url, "http://localhost:9999");
}
