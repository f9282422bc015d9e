//! `perpetua price` as its users call it.

use assert_cmd::Command;

const CALL: &str = "--side call --spot 60000 --strike 60000 --volatility 0.6 --period-days 7 --cap 0.5";
const HEADER: &str = "side,spot,strike,volatility,period_days,cap";

struct Run {
    stdout: String,
    stderr: String,
    success: bool,
}

fn price(arguments: &str, input: &str) -> Run {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("perpetua"))
        .arg("price")
        .args(arguments.split_whitespace())
        .write_stdin(input)
        .output()
        .unwrap();
    Run {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        success: output.status.success(),
    }
}

/// The fields of the JSON, each of which must be a string.
fn json(arguments: &str) -> impl Fn(&str) -> String + use<> {
    let run = price(&format!("{arguments} --json"), "");
    assert!(run.success, "{}", run.stderr);
    let object: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(object.as_object().unwrap().len(), 6);
    move |field| object[field].as_str().unwrap().to_owned()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

fn close(got: &str, want: f64) -> bool {
    (number(got) - want).abs() <= want.abs() * 1e-13
}

#[test]
fn json_gives_the_reference_values_as_decimal_strings() {
    let field = json(CALL);
    // From the pricing crate's reference table.
    assert!(field("value").starts_with("1761.86381954100195"));
    assert!(field("time_value").starts_with("1761.86381954100195"));
    assert!(field("delta").starts_with("0.514681694745731"));
    // TV / 7, and 2 TV / (sigma^2 S^2 T), by hand.
    assert!(close(&field("funding_per_day"), 1_761.863_819_541_002 / 7.0));
    let period = 7.0 / 365.0;
    let gamma = 2.0 * 1_761.863_819_541_002 / (0.36 * 60_000.0 * 60_000.0 * period);
    assert!(close(&field("gamma"), gamma));
    for name in ["value", "time_value", "delta", "gamma", "vega", "funding_per_day"] {
        let text = field(name);
        let digits = text.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
        assert!(digits >= 15, "{name} = {text}");
    }
}

#[test]
fn vega_is_per_one_hundred_percentage_points() {
    let [low, high] = ["0.5999", "0.6001"].map(|volatility| {
        let field = json(&CALL.replace("--volatility 0.6", &format!("--volatility {volatility}")));
        number(&field("value"))
    });
    let slope = (high - low) / 0.0002;
    assert!((number(&json(CALL)("vega")) / slope - 1.0).abs() < 1e-6);
}

#[test]
fn carry_and_rent_join_the_funding() {
    let field = json(&format!("{CALL} --carry 0.05 --rent 0.01"));
    let financed = 60_000.0 * number(&field("delta")) - number(&field("value"));
    let yearly = 0.05 * financed + 0.01 * 0.5 * 60_000.0;
    let want = number(&field("time_value")) / 7.0 + yearly / 365.0;
    assert!(close(&field("funding_per_day"), want));
}

#[test]
fn an_option_at_its_cap_is_worth_the_cap_and_has_no_sensitivities() {
    let field = json(&CALL.replace("--spot 60000", "--spot 90000"));
    assert_eq!(number(&field("value")), 30_000.0);
    for name in ["time_value", "delta", "gamma", "vega", "funding_per_day"] {
        assert_eq!(field(name), "0");
    }
}

#[test]
fn a_put_has_a_negative_delta_and_tiny_values_keep_their_digits() {
    let field = json("--side put --spot 1000000 --strike 500000 --volatility 0.2 --period-days 1 --cap 0.5");
    assert!(field("delta").starts_with('-'));
    assert!(number(&field("value")) > 0.0 && number(&field("value")) < 1e-20);
    assert!(!field("value").contains('e'));
}

#[test]
fn the_table_names_every_number() {
    let run = price(CALL, "");
    assert!(run.success);
    let names: Vec<&str> = run.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["value", "time_value", "delta", "gamma", "vega", "funding_per_day"]);
}

#[test]
fn a_csv_comes_back_line_by_line_with_the_results_appended() {
    let lines = ["call,60000,60000,0.6,7,0.5", "put,0.1234,0.125,1.1,7,0.5"];
    let run = price("--csv", &format!("{HEADER}\n{}\n", lines.join("\n")));
    assert!(run.success, "{}", run.stderr);
    let output: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(output[0], format!("{HEADER},value,time_value,delta,gamma,vega,funding_per_day"));
    assert_eq!(output.len(), 3);
    for (line, input) in output[1..].iter().zip(lines) {
        assert!(line.starts_with(&format!("{input},")));
        assert_eq!(line.split(',').count(), 12);
    }
    assert!(output[1].contains(",1761.86381954100195"));
    assert!(output[2].contains(",0.00752538337435844"));
}

#[test]
fn csv_errors_name_line_cause_and_remedy() {
    let cases = [
        (format!("{HEADER}\ncall,1,2,0.6,7,0.5\ncall,1,2,60,7,0.5\n"), ["line 3", "volatility is 60", "0.6 is 60%"]),
        (format!("{HEADER}\nsell,1,2,0.6,7,0.5\n"), ["line 2", "side is \"sell\"", "write call or put"]),
        (format!("{HEADER}\ncall,1,2,0.6\n"), ["line 2", "4 columns instead of 6", "side,spot,strike"]),
        (format!("{HEADER}\ncall,$1,2,0.6,7,0.5\n"), ["line 2", "spot is \"$1\"", "without units"]),
        ("spot,side\n".to_owned(), ["line 1", "the header is \"spot,side\"", HEADER]),
        (String::new(), ["line 1", "the header is \"\"", HEADER]),
    ];
    for (input, parts) in cases {
        let run = price("--csv", &input);
        assert!(!run.success);
        for part in parts {
            assert!(run.stderr.contains(part), "{part:?} is missing in {:?}", run.stderr);
        }
    }
}

#[test]
fn input_out_of_range_is_refused_with_its_range() {
    let cases = [
        ("--spot 60000", "--spot 0.001", "spot is 0.001, but must be from 0.01 to 16777216 dollars"),
        ("--strike 60000", "--strike 16777217", "strike is 16777217"),
        ("--volatility 0.6", "--volatility 0.009", "volatility is 0.009, but must be from 0.01 to 10"),
        ("--period-days 7", "--period-days 0.04", "period_days is 0.04"),
        ("--period-days 7", "--period-days 366", "period_days is 366"),
        ("--cap 0.5", "--cap 50", "cap is 50"),
        ("--side call", "--side put --carry 1000", "carry is 1000"),
        ("--spot 60000", "--spot 6e4", "not a decimal number"),
        ("--spot 60000", "--spot nan", "not a decimal number"),
    ];
    for (from, to, message) in cases {
        let run = price(&CALL.replace(from, to), "");
        assert!(!run.success);
        assert!(run.stderr.contains(message), "{message:?} is missing in {:?}", run.stderr);
    }
    let put = CALL.replace("--side call", "--side put").replace("--cap 0.5", "--cap 1");
    assert!(price(&put, "").stderr.contains("cap is 1, but must be from 0.01 to 0.999999999"));
}

#[test]
fn the_bounds_themselves_are_accepted() {
    let lines = [
        "call,0.01,16777216,0.01,365,10",
        "call,16777216,0.01,10,0.0416666666666666666667,0.01",
        "put,0.01,0.01,10,365,0.999999999",
    ];
    let run = price("--csv", &format!("{HEADER}\n{}\n", lines.join("\n")));
    assert!(run.success, "{}", run.stderr);
}

#[test]
fn help_states_the_units() {
    let help = price("--help", "").stdout;
    for part in ["vega per", "1.00 (100 percentage points)", "365 days", HEADER] {
        assert!(help.contains(part), "{part}");
    }
}
