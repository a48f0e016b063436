//! `cantus lesson`: runs the lessons of the lecture course, which write text and pictures.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::bail;
use cantus_lessons::{LESSONS, LessonOutput};
use clap::Args;

use super::theme::ThemeName;
use crate::global_options::Global;
use crate::output::{self, Outcome, WrongUsage};

/// Run a lesson of the lecture course: prints text and numbers, and draws pictures
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus lesson
      list the lessons
  cantus lesson 8
      a network is trained to add; pictures in cantus-lessons/08
  cantus lesson 13 --data MUSIC
      on recordings of your own: MUSIC/<label>/**/<audio file>
  cantus lesson --all -o lessons --png
      all of them")]
pub struct Lesson {
    /// Number of the lecture; without it, the lessons are listed
    #[arg(conflicts_with = "all")]
    number: Option<u8>,
    /// Run all lessons, one after the other
    #[arg(long)]
    all: bool,
    /// Folder for pictures and text [default: cantus-lessons/NN]; with --all, each lesson has a folder NN in it
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Folder of label folders with recordings of your own, for lessons 12, 13, 14, 16 and 19
    #[arg(long, value_name = "MUSIC")]
    data: Option<PathBuf>,
    /// Colours of the pictures
    #[arg(long, value_enum, default_value = "light")]
    theme: ThemeName,
    /// Pictures as PNG, and not as SVG
    #[arg(long)]
    png: bool,
}

impl Lesson {
    pub fn run(&self, global: &Global) -> anyhow::Result<Outcome> {
        match self.number {
            Some(number) => {
                let lesson = self.lesson(number)?;
                let folder = self.output.clone().unwrap_or_else(|| folder_of(lesson, &default_folder()));
                self.run_one(lesson, folder, global)?;
            }
            None if self.all => {
                let root = self.output.clone().unwrap_or_else(default_folder);
                for lesson in &LESSONS {
                    output::print(&format!("{}  {}\n\n", lesson.number, lesson.title))?;
                    self.run_one(lesson, folder_of(lesson, &root), global)?;
                    output::print("\n")?;
                }
            }
            None => output::print(&list())?,
        }
        Ok(Outcome::Done)
    }

    /// The lesson with a number.
    fn lesson(&self, number: u8) -> anyhow::Result<&'static cantus_lessons::Lesson> {
        let Some(lesson) = LESSONS.iter().find(|lesson| lesson.number == number) else {
            let lecture = if matches!(number, 1 | 2) { ": that lecture has no program" } else { "" };
            bail!(WrongUsage(format!(
                "there is no lesson {number}{lecture}; `cantus lesson` lists the lessons, 3 to 19"
            )));
        };
        if self.data.is_some() && !lesson.takes_data {
            let able = LESSONS.iter().filter(|lesson| lesson.takes_data);
            let able: Vec<String> = able.map(|lesson| lesson.number.to_string()).collect();
            bail!(WrongUsage(format!(
                "lesson {number} uses no recordings: --data is for {}",
                able.join(", ")
            )));
        }
        Ok(lesson)
    }

    /// Runs one lesson; its text goes to the terminal and, with its pictures, into the folder.
    fn run_one(
        &self,
        lesson: &cantus_lessons::Lesson,
        folder: PathBuf,
        global: &Global,
    ) -> anyhow::Result<()> {
        let mut words = Tee::default();
        let out = LessonOutput::new(&folder, &mut words).with_theme(self.theme.into());
        let out = if self.png { out.with_png() } else { out };
        let mut out = out.with_data(self.data.clone().filter(|_| lesson.takes_data));
        (lesson.run)(&mut out)?;
        words.failure.map_or(Ok(()), Err)?;
        output::save(&folder.join("words.txt"), &words.copy)?;
        if !global.quiet {
            output::note(&format!("pictures and text in {}", folder.display()));
        }
        Ok(())
    }
}

/// Why the lessons begin at 3.
const NO_PROGRAM: &str = "\
Lessons have the numbers of the lectures. Lecture 1 is an overview of the course; lecture 2 compares kinds of machine\n\
learning, and has a page in the book (docs/src/02.md). Neither has a program.\n";

fn default_folder() -> PathBuf {
    PathBuf::from("cantus-lessons")
}

fn folder_of(lesson: &cantus_lessons::Lesson, root: &std::path::Path) -> PathBuf {
    root.join(format!("{:02}", lesson.number))
}

fn list() -> String {
    let row = |lesson: &cantus_lessons::Lesson| {
        let data = if lesson.takes_data { "  (--data)" } else { "" };
        format!("{:>4}  {}{data}\n", lesson.number, lesson.title)
    };
    let rows: String = LESSONS.iter().map(row).collect();
    format!(
        "{rows}\n{NO_PROGRAM}\n`cantus lesson 8` runs one lesson, `cantus lesson --all` all of them. With --data MUSIC, lessons marked (--data) use\n\
         recordings of your own.\n"
    )
}

/// Writes to standard output and keeps a copy.
#[derive(Default)]
struct Tee {
    copy: Vec<u8>,
    /// The first error of writing to standard output, to which nothing more is then written.
    failure: Option<anyhow::Error>,
}

impl Write for Tee {
    fn write(&mut self, words: &[u8]) -> io::Result<usize> {
        if self.failure.is_none() {
            self.failure = output::bytes(words).err();
        }
        self.copy.write(words)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
