//! Precedence of options: flag, environment variable, configuration file, default.

use std::process::Command;

use crate::run::cantus_in;

#[test]
fn a_flag_has_precedence_over_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let compose = |name: &str, variable: &str, flags: &[&str]| {
        let music = dir.path().join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_cantus"));
        command
            .arg("compose")
            .arg(&music)
            .args(["--duration", "1"])
            .args(flags)
            .env("CANTUS_TRACKS", variable);
        assert!(command.status().unwrap().success());
        std::fs::read_dir(music.join("jazz")).unwrap().count()
    };
    assert_eq!(compose("environment", "2", &[]), 2);
    assert_eq!(compose("flag", "2", &["--tracks", "1"]), 1);
}

#[test]
fn the_environment_has_precedence_over_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cantus.toml");
    std::fs::write(&file, "quiet = true\n[compose]\ntracks = 2\nduration = 1.0\n").unwrap();
    let compose = |name: &str, variable: Option<&str>| {
        let music = dir.path().join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_cantus"));
        command.arg("compose").arg(&music).arg("--config").arg(&file);
        if let Some(tracks) = variable {
            command.env("CANTUS_TRACKS", tracks);
        }
        assert!(command.status().unwrap().success());
        std::fs::read_dir(music.join("jazz")).unwrap().count()
    };
    assert_eq!(compose("file", None), 2);
    assert_eq!(compose("environment", Some("3")), 3);
}

#[test]
fn the_config_of_a_run_reproduces_it() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 3 --duration 3").ok();
    cantus_in(dir.path(), "extract @/music -o @/f").ok();
    let options = "--epochs 2 --batch-size 7 --learning-rate 1e-3 --patience 1 --seed 18446744073709551615";
    cantus_in(dir.path(), &format!("train @/f -o @/run --split segment --test 0.3 {options}")).ok();
    cantus_in(dir.path(), "train @/f -o @/again --config @/run/config.toml").ok();
    for name in ["config.toml", "recipe.toml", "split.csv", "history.csv", "report.json", "model.safetensors"]
    {
        let bytes = |run: &str| std::fs::read(dir.path().join(run).join(name)).unwrap();
        assert!(bytes("run") == bytes("again"), "{name} differs");
    }
    let config = std::fs::read_to_string(dir.path().join("run/config.toml")).unwrap();
    assert!(config.contains("learning_rate = 0.001\n"), "as it was typed: {config}");
}

#[test]
fn an_unknown_instruction_set_is_wrong_usage() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cantus"));
    let output = command.args(["lesson", "3"]).env("CANTUS_ISA", "sse9").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let expected = "CANTUS_ISA: \"sse9\" is no instruction set; use avx512, avx2 or baseline";
    assert!(said.contains(expected) && said.lines().count() == 1, "{said}");
}
