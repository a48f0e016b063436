//! System calls of a command that change files: recorded by strace, parsed from its output.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// All calls that change files or the position in one, also those that [`crate::disk`] does not model, which it then refuses.
const TRACED: &str = "open,openat,creat,close,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,\
rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,fsync,fdatasync,sync,syncfs,\
sync_file_range,copy_file_range,sendfile,splice,dup,dup2,dup3,lseek";

/// A system call that succeeded.
#[derive(Debug)]
pub struct Call {
    pub thread: u32,
    pub name: String,
    /// As strace prints them, strings in hexadecimal.
    pub arguments: Vec<String>,
    pub result: u64,
}

impl Call {
    pub fn path(&self, index: usize) -> PathBuf {
        PathBuf::from(OsStr::from_bytes(&string(&self.arguments[index])))
    }

    /// The bytes that a write has written, of one buffer or several.
    pub fn written(&self) -> Vec<u8> {
        let mut bytes = string(&self.arguments[1]);
        bytes.truncate(self.result as usize);
        assert_eq!(bytes.len() as u64, self.result, "{} has other bytes than it wrote", self.name);
        bytes
    }

    pub fn number(&self, index: usize) -> u64 {
        let text = &self.arguments[index];
        text.parse().unwrap_or_else(|_| panic!("{}: {text} is no number", self.name))
    }

    pub fn has_flag(&self, index: usize, flag: &str) -> bool {
        self.arguments.get(index).is_some_and(|flags| flags.split('|').any(|found| found == flag))
    }
}

/// Whether strace is there and may trace.
pub fn is_available() -> bool {
    let mut command = Command::new("strace");
    command.args(["-o", "/dev/null", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Runs a program under strace to its successful end, with the arguments that `configured` gives, and returns its calls.
pub fn of(program: &str, configured: impl FnOnce(Command) -> Command) -> Vec<Call> {
    let output = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-xx", "-s", "16777216", "--seccomp-bpf", "-e", "signal=none", "-e"]);
    command.arg(format!("trace={TRACED}")).arg("-o").arg(output.path()).arg(program);
    let mut command = configured(command);
    assert!(command.status().unwrap().success(), "{command:?}");
    calls(output.path())
}

/// A call at which a command is killed: the `index`-th of this name in a thread, from 1.
#[derive(Debug)]
pub struct Moment {
    name: String,
    index: u64,
}

/// The calls that rename, create, remove or sync.
pub fn moments(calls: &[Call]) -> Vec<Moment> {
    const NAMES: [&str; 9] =
        ["rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir", "fsync", "fdatasync"];
    let mut n_calls: HashMap<(u32, &str), u64> = HashMap::new();
    let mut moments = Vec::new();
    for call in calls.iter().filter(|call| NAMES.contains(&call.name.as_str())) {
        let index = n_calls.entry((call.thread, &call.name)).or_default();
        *index += 1;
        moments.push(Moment { name: call.name.clone(), index: *index });
    }
    moments
}

/// A program under strace, which kills it where the first of its threads enters the call.
pub fn killed_at(program: &str, moment: &Moment) -> Command {
    let Moment { name, index } = moment;
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e"]).arg(format!("trace={name}"));
    command.arg("-e").arg(format!("inject={name}:signal=KILL:when={index}")).arg(program);
    command
}

/// The calls in a file of strace, in the order in which they ended.
fn calls(file: &Path) -> Vec<Call> {
    let text = fs::read_to_string(file).unwrap();
    let mut unfinished: HashMap<u32, &str> = HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let (thread, rest) = line.split_once(' ').unwrap();
        let (thread, rest): (u32, _) = (thread.parse().unwrap(), rest.trim_start());
        if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            if start.starts_with("close(") {
                // Another thread may get the descriptor before this call has returned.
                calls.extend(call(thread, &format!("{start}) = 0")));
            } else {
                unfinished.insert(thread, start);
            }
        } else if let Some(resumed) = rest.strip_prefix("<... ") {
            let Some(start) = unfinished.remove(&thread) else { continue };
            let (_, end) = resumed.split_once(" resumed>").unwrap();
            calls.extend(call(thread, &format!("{start}{end}")));
        } else {
            calls.extend(call(thread, rest));
        }
    }
    calls
}

/// The call of a line `name(arguments) = result`; none if it failed.
fn call(thread: u32, line: &str) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let result = result.split(' ').next().unwrap().parse().ok()?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    Some(Call { thread, name: name.to_owned(), arguments: separated(arguments), result })
}

/// Arguments between commas that are not within brackets.
fn separated(text: &str) -> Vec<String> {
    let mut arguments = vec![String::new()];
    let mut depth = 0;
    for character in text.chars() {
        match character {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            _ => (),
        }
        if character == ',' && depth == 0 {
            arguments.push(String::new());
        } else {
            arguments.last_mut().unwrap().push(character);
        }
    }
    arguments.iter().map(|argument| argument.trim().to_owned()).collect()
}

/// The bytes of all strings in an argument, `"\x61\x62"` each.
fn string(argument: &str) -> Vec<u8> {
    assert!(!argument.contains("\"..."), "strace has cut a string");
    let digits = argument.split('"').skip(1).step_by(2).flat_map(|quoted| quoted.split("\\x").skip(1));
    digits.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect()
}
