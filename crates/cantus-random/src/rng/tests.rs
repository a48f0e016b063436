//! Tests of the generator: published vectors, pinned values, independence of neighbouring keys, distributions.

use std::collections::{HashMap, HashSet};

use super::*;
use crate::hash::GOLDEN_STEP;

/// The numbers of `splitmix64.c` (Vigna, prng.di.unimi.it) for the seed 1234567, as Rosetta Code lists them ("Pseudo-random
/// numbers/Splitmix64").
#[test]
fn with_the_golden_ratio_as_step_it_equals_the_published_splitmix64_vector() {
    let mut rng = KeyedRng { state: 1_234_567, step: GOLDEN_STEP };
    let published = [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ];
    assert_eq!(published.map(|_| rng.next_u64()), published);
}

// Pinned values: a change of any of these numbers changes the results of every seed, such as splits, initial weights and
// compositions, and needs an entry in the changelog.

#[test]
fn the_numbers_of_a_key_are_pinned() {
    let first = |mut rng: KeyedRng| [0; 3].map(|_| rng.next_u64());
    assert_eq!(
        first(KeyedRng::new([0])),
        [2_834_732_902_741_634_815, 15_714_380_783_492_252_329, 13_411_224_881_369_156_301]
    );
    assert_eq!(
        first(KeyedRng::new([1])),
        [2_780_267_833_201_775_650, 18_334_408_850_724_366_807, 10_654_047_245_197_171_994]
    );
    assert_eq!(
        first(KeyedRng::new([0, 1, 2, 3])),
        [8_824_766_136_192_503_427, 10_872_047_202_140_842_005, 9_176_747_963_011_326_643]
    );
}

#[test]
fn below_and_shuffle_are_pinned() {
    let mut rng = KeyedRng::new([0]);
    assert_eq!([0; 10].map(|_| rng.below(1000)), [153, 851, 727, 397, 312, 865, 817, 435, 243, 77]);
    let mut items: Vec<usize> = (0..10).collect();
    KeyedRng::new([0]).shuffle(&mut items);
    assert_eq!(items, [6, 0, 8, 3, 4, 9, 2, 5, 7, 1]);
}

/// To 1e-14, since the logarithm and the cosine are the platform's.
#[test]
fn uniform_and_normal_numbers_are_pinned() {
    let mut rng = KeyedRng::new([0]);
    assert_eq!(
        [0; 3].map(|_| rng.uniform()),
        [0.153_671_178_578_430_93, 0.851_878_289_236_338_1, 0.727_023_957_603_604_5]
    );
    let mut rng = KeyedRng::new([0]);
    for pinned in [0.345_033_435_346_204_4, -1.285_901_518_602_023, 0.572_438_354_425_320_8] {
        let drawn = rng.normal();
        assert!((drawn - pinned).abs() < 1e-14, "{drawn}, pinned {pinned}");
    }
    assert_eq!(KeyedRng::new([0]).uniform_in([-3.0, 5.0]), -1.770_630_6);
    assert!((KeyedRng::new([0]).log_uniform([20.0, 20_000.0]) / 57.815_4 - 1.0).abs() < 1e-6);
}

/// 200 seeds with 5000 numbers each: in 10⁶ numbers of 64 bits two are equal with a probability of 3·10⁻⁸. Seeds that are
/// positions of one sequence would share nearly all.
#[test]
fn streams_of_neighbouring_seeds_have_no_number_in_common() {
    let mut seen = HashSet::new();
    for seed in 0..200 {
        let mut rng = KeyedRng::new([seed]);
        assert!((0..5000).all(|_| seen.insert(rng.next_u64())), "seed {seed}");
    }
}

#[test]
fn streams_of_many_keys_have_different_steps() {
    let mut steps = HashSet::new();
    let keys = (0..300).flat_map(|a| (0..300).map(move |b| [a, b]));
    assert!(keys.into_iter().all(|key| steps.insert(KeyedRng::new(key).step)));
    assert!(steps.iter().all(|step| step % 2 == 1 && (step ^ (step >> 1)).count_ones() >= 24));
}

#[test]
fn every_part_of_a_key_and_their_order_matter() {
    let first = |key: [u64; 4]| KeyedRng::new(key).next_u64();
    let keys =
        [[1, 2, 3, 4], [0, 2, 3, 4], [1, 0, 3, 4], [1, 2, 0, 4], [1, 2, 3, 0], [2, 1, 3, 4], [4, 3, 2, 1]];
    assert_eq!(first(keys[0]), first(keys[0]));
    assert_eq!(HashSet::from(keys.map(first)).len(), keys.len());
    assert_ne!(KeyedRng::new([1]), KeyedRng::new([1, 0]));
}

/// The bits in which the n-th numbers of neighbouring seeds differ, and neighbouring numbers of one seed: half of them.
#[test]
fn neighbouring_seeds_and_neighbouring_numbers_differ_in_half_of_their_bits() {
    let (mut between_seeds, mut between_numbers) = (0, 0);
    for seed in 0..100 {
        let (mut this, mut next) = (KeyedRng::new([seed]), KeyedRng::new([seed + 1]));
        let mut before = this.next_u64();
        next.next_u64();
        for _ in 0..100 {
            let number = this.next_u64();
            between_seeds += (number ^ next.next_u64()).count_ones();
            between_numbers += (number ^ before).count_ones();
            before = number;
        }
    }
    // 640,000 fair bits: 320,000, with a standard deviation of 400.
    assert!(between_seeds.abs_diff(320_000) < 2400, "{between_seeds}");
    assert!(between_numbers.abs_diff(320_000) < 2400, "{between_numbers}");
}

/// Pearson's χ² over 100 cells for 50 seeds: mean 99, standard deviation √198 of each.
#[test]
fn uniform_numbers_pass_the_chi_squared_test() {
    for seed in 0..50 {
        let mut rng = KeyedRng::new([seed]);
        let mut cells = [0_u32; 100];
        (0..10_000).for_each(|_| cells[(rng.uniform() * 100.0) as usize] += 1);
        let chi_squared: f64 = cells.iter().map(|&n| (f64::from(n) - 100.0).powi(2) / 100.0).sum();
        assert!((chi_squared - 99.0).abs() < 5.0 * 198.0_f64.sqrt(), "seed {seed}: {chi_squared}");
    }
}

/// The first numbers of the seeds 0, 1, 2, … are as uniform as those of one stream, and are not correlated.
#[test]
fn first_numbers_of_successive_seeds_are_uniform_and_uncorrelated() {
    let n = 20_000;
    let firsts: Vec<f64> = (0..n).map(|seed| KeyedRng::new([seed]).uniform() - 0.5).collect();
    let n = n as f64;
    let mean = firsts.iter().sum::<f64>() / n;
    let variance = firsts.iter().map(|x| x * x).sum::<f64>() / n;
    let correlation = firsts.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / n * 12.0;
    // Five standard deviations: of a mean √(1/12n), of a correlation √(1/n).
    assert!(mean.abs() < 5.0 * (1.0 / (12.0 * n)).sqrt(), "{mean}");
    assert!((variance - 1.0 / 12.0).abs() < 0.003, "{variance}");
    assert!(correlation.abs() < 5.0 * (1.0 / n).sqrt(), "{correlation}");
}

#[test]
fn draws_have_the_means_of_their_distributions() {
    let mut rng = KeyedRng::new([1]);
    let n = 10_000;
    let mut mean =
        |draw: &dyn Fn(&mut KeyedRng) -> f64| (0..n).map(|_| draw(&mut rng)).sum::<f64>() / f64::from(n);
    assert!((mean(&|rng| f64::from(rng.uniform_in([-2.0, 6.0]))) - 2.0).abs() < 0.12);
    assert!((mean(&|rng| rng.below(5) as f64) - 2.0).abs() < 0.07);
    assert!((mean(&|rng| f64::from(u8::from(rng.bernoulli(0.3)))) - 0.3).abs() < 0.023);
    // Uniform over four octaves, log₂ 100 to log₂ 1600: in the middle, 8.644.
    assert!((mean(&|rng| f64::from(rng.log_uniform([100.0, 1600.0]).log2())) - 8.644).abs() < 0.06);
}

/// Mean 0, variance 1, skewness 0, kurtosis 3, within five standard errors of 100,000 numbers; 4.55 % beyond two deviations.
#[test]
fn normal_numbers_have_the_moments_of_the_normal_distribution() {
    let mut rng = KeyedRng::new([2]);
    let n = 100_000;
    let numbers: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
    let moment = |power: i32| numbers.iter().map(|x| x.powi(power)).sum::<f64>() / f64::from(n);
    let error = |variance: f64| 5.0 * (variance / f64::from(n)).sqrt();
    for (power, expected, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
        let found = moment(power);
        assert!((found - expected).abs() < error(variance), "moment {power}: {found}, expected {expected}");
    }
    let beyond = numbers.iter().filter(|x| x.abs() > 2.0).count() as f64 / f64::from(n);
    assert!((beyond - 0.0455).abs() < error(0.0455 * 0.9545), "{beyond}");
}

/// All 24 orders of four items, 1000 expected of each: χ² with 23 degrees of freedom.
#[test]
fn all_orders_of_a_shuffle_are_equally_probable() {
    let mut rng = KeyedRng::new([3]);
    let mut orders: HashMap<[u8; 4], u32> = HashMap::new();
    for _ in 0..24_000 {
        let mut items = [0, 1, 2, 3];
        rng.shuffle(&mut items);
        *orders.entry(items).or_default() += 1;
    }
    let chi_squared: f64 = orders.values().map(|&n| (f64::from(n) - 1000.0).powi(2) / 1000.0).sum();
    assert!(orders.len() == 24 && chi_squared < 23.0 + 5.0 * 46.0_f64.sqrt(), "{chi_squared}, {orders:?}");
}

#[test]
fn ends_of_ranges_and_empty_ones_are_as_documented() {
    let mut rng = KeyedRng::new([4]);
    assert_eq!((rng.below(0), rng.below(1)), (0, 0));
    assert_eq!(rng.choose::<u8>(&[]), None);
    assert_eq!(rng.choose(&[7]), Some(&7));
    rng.shuffle::<u8>(&mut []);
    for _ in 0..1000 {
        assert!(!rng.bernoulli(0.0) && rng.bernoulli(1.0_f32));
        assert!((3.0..=4.0).contains(&rng.log_uniform([3.0, 4.0])));
        assert!(rng.normal().is_finite());
    }
    assert_eq!(rng.uniform_in([2.0, 2.0]), 2.0);
    // No panic if the ends are reversed or NaN.
    assert!(rng.log_uniform([4.0, 3.0]).is_finite() && rng.log_uniform([f32::NAN, 3.0]).is_nan());
    // The largest number that `uniform` gives is below 1.
    assert!((u64::MAX >> 11) as f64 / (1_u64 << 53) as f64 - 1.0 < 0.0);
}
