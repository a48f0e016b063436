//! `cantus lesson`: the lecture course, one short program for each lecture that shows something.
//!
//! The programs are the examples under the crates that they teach; mounted here, they exist once and need no compiler to be run.

#[cfg(test)]
mod claims;
#[cfg(test)]
mod claims_13_to_19;
#[expect(dead_code, reason = "their `main` is for `cargo run --example`")]
mod files;

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::bail;
use cantus::lesson::Sheet;
use clap::Args;

use super::theme::ThemeName;
use crate::output::{self, Outcome, WrongUsage};
use crate::{cli::Global, interrupt};

/// A lecture and its lesson.
struct Lecture {
    number: u8,
    title: &'static str,
    /// Whether it can learn from the user's own recordings.
    takes_data: bool,
    teach: fn(&mut Sheet<'_>) -> Result<(), cantus::Error>,
}

/// In the order of the course; lectures 1 and 2 have nothing to compute.
const LECTURES: [Lecture; 17] = [
    Lecture {
        number: 3,
        title: "One artificial neuron",
        takes_data: false,
        teach: files::lesson_03_neuron::lesson,
    },
    Lecture {
        number: 4,
        title: "Vectors and matrices",
        takes_data: false,
        teach: files::lesson_04_matrices::lesson,
    },
    Lecture {
        number: 5,
        title: "Computation in a network",
        takes_data: false,
        teach: files::lesson_05_computation::lesson,
    },
    Lecture {
        number: 6,
        title: "The multilayer perceptron, forward",
        takes_data: false,
        teach: files::lesson_06_forward::lesson,
    },
    Lecture {
        number: 7,
        title: "Backpropagation and gradient descent: the idea",
        takes_data: false,
        teach: files::lesson_07_gradient::lesson,
    },
    Lecture {
        number: 8,
        title: "Backpropagation and gradient descent: learn to add",
        takes_data: false,
        teach: files::lesson_08_learn_to_add::lesson,
    },
    Lecture {
        number: 9,
        title: "The same with layers",
        takes_data: false,
        teach: files::lesson_09_layers::lesson,
    },
    Lecture {
        number: 10,
        title: "Sound as numbers, and the Fourier transform",
        takes_data: false,
        teach: files::lesson_10_sound::lesson,
    },
    Lecture {
        number: 11,
        title: "From the waveform to MFCCs",
        takes_data: false,
        teach: files::lesson_11_features::lesson,
    },
    Lecture { number: 12, title: "The data set", takes_data: true, teach: files::lesson_12_data_set::lesson },
    Lecture {
        number: 13,
        title: "A perceptron that tells genres apart",
        takes_data: true,
        teach: files::lesson_13_classifier::lesson,
    },
    Lecture {
        number: 14,
        title: "Overfitting, and remedies",
        takes_data: true,
        teach: files::lesson_14_overfitting::lesson,
    },
    Lecture {
        number: 15,
        title: "Convolution and pooling by hand",
        takes_data: false,
        teach: files::lesson_15_convolution::lesson,
    },
    Lecture {
        number: 16,
        title: "A convolutional network",
        takes_data: true,
        teach: files::lesson_16_cnn::lesson,
    },
    Lecture {
        number: 17,
        title: "Recurrence",
        takes_data: false,
        teach: files::lesson_17_recurrence::lesson,
    },
    Lecture {
        number: 18,
        title: "The gates of an LSTM",
        takes_data: false,
        teach: files::lesson_18_lstm::lesson,
    },
    Lecture {
        number: 19,
        title: "A recurrent network that tells genres apart",
        takes_data: true,
        teach: files::lesson_19_recurrent_classifier::lesson,
    },
];

/// Run a lesson of the lecture course: what it does in words and numbers, and its pictures
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cantus lesson
      what lessons there are
  cantus lesson 8
      a network learns to add; pictures in cantus-lessons/08
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
    /// Folder for pictures and words [default: cantus-lessons/NN]; with --all, each lesson has a folder NN in it
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
                let lecture = self.lecture(number)?;
                let folder = self.output.clone().unwrap_or_else(|| folder_of(lecture, &default_folder()));
                self.teach(lecture, folder, global)?;
            }
            None if self.all => {
                let root = self.output.clone().unwrap_or_else(default_folder);
                for lecture in &LECTURES {
                    if interrupt::requested() {
                        return Ok(output::stopped());
                    }
                    output::print(&format!("{}  {}\n\n", lecture.number, lecture.title))?;
                    self.teach(lecture, folder_of(lecture, &root), global)?;
                    output::print("\n")?;
                }
            }
            None => output::print(&list())?,
        }
        Ok(Outcome::Done)
    }

    /// The lecture of a number.
    fn lecture(&self, number: u8) -> anyhow::Result<&'static Lecture> {
        let Some(lecture) = LECTURES.iter().find(|lecture| lecture.number == number) else {
            bail!(WrongUsage(format!(
                "there is no lesson {number}; `cantus lesson` lists those that there are, 3 to 19"
            )));
        };
        if self.data.is_some() && !lecture.takes_data {
            let able = LECTURES.iter().filter(|lecture| lecture.takes_data);
            let able: Vec<String> = able.map(|lecture| lecture.number.to_string()).collect();
            bail!(WrongUsage(format!(
                "lesson {number} learns from no recordings: --data is for {}",
                able.join(", ")
            )));
        }
        Ok(lecture)
    }

    /// Runs one lesson; its words go to the terminal and, with its pictures, into the folder.
    fn teach(&self, lecture: &Lecture, folder: PathBuf, global: &Global) -> anyhow::Result<()> {
        let mut words = Tee(Vec::new());
        let sheet = Sheet::new(&folder, &mut words).with_theme(self.theme.into());
        let sheet = if self.png { sheet.with_png() } else { sheet };
        let mut sheet = sheet.with_data(self.data.clone().filter(|_| lecture.takes_data));
        (lecture.teach)(&mut sheet)?;
        output::save(&folder.join("words.txt"), &words.0)?;
        if !global.quiet {
            output::note(&format!("pictures and words in {}", folder.display()));
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

fn folder_of(lecture: &Lecture, root: &std::path::Path) -> PathBuf {
    root.join(format!("{:02}", lecture.number))
}

fn list() -> String {
    let row = |lecture: &Lecture| {
        let data = if lecture.takes_data { "  (--data)" } else { "" };
        format!("{:>4}  {}{data}\n", lecture.number, lecture.title)
    };
    let rows: String = LECTURES.iter().map(row).collect();
    format!(
        "{rows}\n{NO_PROGRAM}\n`cantus lesson 8` runs one lesson, `cantus lesson --all` all of them. With --data MUSIC, lessons marked (--data) use\n\
         recordings of your own.\n"
    )
}

/// Standard output, and what was written kept.
struct Tee(Vec<u8>);

impl Write for Tee {
    fn write(&mut self, words: &[u8]) -> io::Result<usize> {
        // A reader that has seen enough (`| head`) is no error.
        let _ = io::stdout().write_all(words);
        self.0.write(words)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}
