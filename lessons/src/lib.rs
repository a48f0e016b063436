#![doc = include_str!("../README.md")]

mod addition_data;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod claims_13_to_19;
mod data;
mod lesson_03_neuron;
mod lesson_04_matrices;
mod lesson_05_computation;
mod lesson_06_forward;
mod lesson_07_gradient;
mod lesson_08_learn_to_add;
mod lesson_09_layers;
mod lesson_10_sound;
mod lesson_11_features;
mod lesson_12_data_set;
mod lesson_13_classifier;
mod lesson_14_overfitting;
mod lesson_15_convolution;
mod lesson_16_cnn;
mod lesson_17_recurrence;
mod lesson_18_lstm;
mod lesson_19_recurrent_classifier;
mod output;

pub use addition_data::{random_pairs, train_test_split};
pub use data::{LessonData, Music, Part};
pub use output::LessonOutput;

/// A lesson of the course: one short program for a lecture.
#[derive(Debug, Clone, Copy)]
pub struct Lesson {
    /// Number of the lecture.
    pub number: u8,
    /// Title of the lecture.
    pub title: &'static str,
    /// Whether it can use the user's recordings as data.
    pub takes_data: bool,
    /// The program: writes its text and pictures to the output.
    pub run: fn(&mut LessonOutput<'_>) -> Result<(), cantus::Error>,
}

/// All lessons, in the order of the course; lectures 1 and 2 have no program.
pub const LESSONS: [Lesson; 17] = [
    Lesson { number: 3, title: "One artificial neuron", takes_data: false, run: lesson_03_neuron::lesson },
    Lesson { number: 4, title: "Vectors and matrices", takes_data: false, run: lesson_04_matrices::lesson },
    Lesson {
        number: 5,
        title: "Computation in a network",
        takes_data: false,
        run: lesson_05_computation::lesson,
    },
    Lesson {
        number: 6,
        title: "The multilayer perceptron, forward",
        takes_data: false,
        run: lesson_06_forward::lesson,
    },
    Lesson {
        number: 7,
        title: "Backpropagation and gradient descent: the idea",
        takes_data: false,
        run: lesson_07_gradient::lesson,
    },
    Lesson {
        number: 8,
        title: "Backpropagation and gradient descent: addition",
        takes_data: false,
        run: lesson_08_learn_to_add::lesson,
    },
    Lesson { number: 9, title: "The same with layers", takes_data: false, run: lesson_09_layers::lesson },
    Lesson {
        number: 10,
        title: "Sound as numbers, and the Fourier transform",
        takes_data: false,
        run: lesson_10_sound::lesson,
    },
    Lesson {
        number: 11,
        title: "From the waveform to MFCCs",
        takes_data: false,
        run: lesson_11_features::lesson,
    },
    Lesson { number: 12, title: "The data set", takes_data: true, run: lesson_12_data_set::lesson },
    Lesson {
        number: 13,
        title: "A perceptron that classifies genres",
        takes_data: true,
        run: lesson_13_classifier::lesson,
    },
    Lesson {
        number: 14,
        title: "Overfitting, and remedies",
        takes_data: true,
        run: lesson_14_overfitting::lesson,
    },
    Lesson {
        number: 15,
        title: "Convolution and pooling by hand",
        takes_data: false,
        run: lesson_15_convolution::lesson,
    },
    Lesson { number: 16, title: "A convolutional network", takes_data: true, run: lesson_16_cnn::lesson },
    Lesson { number: 17, title: "Recurrence", takes_data: false, run: lesson_17_recurrence::lesson },
    Lesson { number: 18, title: "The gates of an LSTM", takes_data: false, run: lesson_18_lstm::lesson },
    Lesson {
        number: 19,
        title: "A recurrent network that classifies genres",
        takes_data: true,
        run: lesson_19_recurrent_classifier::lesson,
    },
];
