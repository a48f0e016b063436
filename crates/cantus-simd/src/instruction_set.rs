//! The instruction set in use: the largest one of the processor, or the one that is asked for.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// Name of the environment variable that selects an instruction set: `avx512`, `avx2` or `baseline`.
pub const VARIABLE: &str = "CANTUS_ISA";

/// A set of vector instructions, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstructionSet {
    /// What every processor of the architecture has: SSE2 on x86-64, NEON on aarch64.
    Baseline,
    /// AVX2 with FMA: level 3 of x86-64.
    Avx2,
    /// AVX-512 (F, BW, CD, DQ, VL): level 4 of x86-64.
    Avx512,
}

impl InstructionSet {
    /// All, in ascending order.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::Avx2, Self::Avx512];

    /// The set that this process uses, determined at the first call: the one that [`VARIABLE`] names, or else the largest of the processor. A
    /// value that names none, or one that the processor lacks, is ignored here; [`InstructionSet::requested`] reports it.
    #[must_use]
    pub fn current() -> Self {
        static CURRENT: OnceLock<InstructionSet> = OnceLock::new();
        *CURRENT.get_or_init(|| Self::requested().ok().flatten().unwrap_or_else(Self::of_processor))
    }

    /// The largest set that the processor has.
    #[must_use]
    pub fn of_processor() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if has_avx2() && has_avx512() {
                return Self::Avx512;
            }
            if has_avx2() {
                return Self::Avx2;
            }
        }
        Self::Baseline
    }

    /// The set that the environment variable [`VARIABLE`] names; none if it is not set or empty.
    ///
    /// # Errors
    /// If it names no instruction set, or one that the processor lacks.
    pub fn requested() -> Result<Option<Self>, Error> {
        let name = std::env::var_os(VARIABLE).unwrap_or_default();
        if name.is_empty() {
            return Ok(None);
        }
        let (requested, largest): (Self, _) = (name.to_string_lossy().parse()?, Self::of_processor());
        if requested > largest { Err(Error::Missing { requested, largest }) } else { Ok(Some(requested)) }
    }

    /// The name: `avx512`, `avx2` or `baseline`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

/// All features that `#[multiversion]` enables for AVX2.
#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx")
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("f16c")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("movbe")
        && is_x86_feature_detected!("popcnt")
}

/// All features that `#[multiversion]` enables for AVX-512, besides those of AVX2.
#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512cd")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
}

impl fmt::Display for InstructionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for InstructionSet {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|set| set.name() == name)
            .ok_or_else(|| Error::Unknown { name: name.to_owned() })
    }
}

/// Why an instruction set cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// No instruction set has this name.
    Unknown {
        /// The name.
        name: String,
    },
    /// The processor does not have it.
    Missing {
        /// What was asked for.
        requested: InstructionSet,
        /// The largest one of the processor.
        largest: InstructionSet,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => {
                write!(f, "{name:?} is no instruction set; use avx512, avx2 or baseline")
            }
            Self::Missing { requested, largest } => {
                write!(f, "this processor has no {requested}; its largest instruction set is {largest}")
            }
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for set in InstructionSet::ALL {
            assert_eq!(set.to_string().parse(), Ok(set));
        }
        let error = "sse9".parse::<InstructionSet>().unwrap_err();
        assert_eq!(error.to_string(), "\"sse9\" is no instruction set; use avx512, avx2 or baseline");
    }

    #[test]
    fn the_current_set_is_the_requested_one_of_the_processor() {
        let current = InstructionSet::current();
        assert!(current <= InstructionSet::of_processor());
        if let Ok(Some(requested)) = InstructionSet::requested() {
            assert_eq!(current, requested);
        }
    }
}
