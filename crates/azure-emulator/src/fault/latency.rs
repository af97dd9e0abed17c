//! How long a fault keeps a call waiting: a fixed time, or one drawn from a distribution by a seed, so that a run can be
//! repeated.

use std::time::Duration;

/// A distribution of waiting times.
#[derive(Clone, Debug, PartialEq)]
pub enum Latency {
    /// Always this long.
    Fixed(Duration),
    /// Any time between the two, all as likely.
    Uniform {
        /// The shortest.
        least: Duration,
        /// The longest.
        most: Duration,
    },
    /// The normal distribution; what would be less than nothing is nothing.
    Normal {
        /// The middle.
        mean: Duration,
        /// The standard deviation.
        deviation: Duration,
    },
    /// Percent and the time that so many percent of the calls don't exceed, rising; between two points in proportion,
    /// below the first and above the last as long as there. Nothing waits without points.
    Percentiles(Vec<(f64, Duration)>),
}

impl Latency {
    pub(super) fn draw(&self, chance: &mut Chance) -> Duration {
        match self {
            Latency::Fixed(time) => *time,
            Latency::Uniform { least, most } => between(*least, *most, chance.unit()),
            Latency::Normal { mean, deviation } => {
                let seconds = mean.as_secs_f64() + deviation.as_secs_f64() * chance.normal();
                Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()
            }
            Latency::Percentiles(points) => at_percent(points, chance.unit() * 100.0),
        }
    }
}

fn at_percent(points: &[(f64, Duration)], percent: f64) -> Duration {
    let above = points.iter().find(|(point, _)| *point >= percent);
    let below = points.iter().rev().find(|(point, _)| *point < percent);
    match (below, above) {
        (Some((from, low)), Some((to, high))) => between(*low, *high, (percent - from) / (to - from)),
        (Some((_, only)), None) | (None, Some((_, only))) => *only,
        (None, None) => Duration::ZERO,
    }
}

/// `low` for 0, `high` for 1.
fn between(low: Duration, high: Duration, share: f64) -> Duration {
    low + high.saturating_sub(low).mul_f64(share.clamp(0.0, 1.0))
}

/// Random numbers that a seed decides: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", 2014). Good enough to spread delays, and the same everywhere.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to just below 1.
    pub(super) fn unit(&mut self) -> f64 {
        // 32 bits are exact as a float, and fine enough for times.
        let high = u32::try_from(self.next() >> 32).unwrap_or_default();
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }

    /// Mean 0, standard deviation 1 (Box and Muller's transform).
    fn normal(&mut self) -> f64 {
        let (radius, angle) = (1.0 - self.unit(), self.unit());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(latency: &Latency, seed: u64) -> Vec<Duration> {
        let mut chance = Chance::new(seed);
        let mut drawn: Vec<Duration> = (0..2000).map(|_| latency.draw(&mut chance)).collect();
        drawn.sort_unstable();
        drawn
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_seed_decides_what_is_drawn() {
        let latency = Latency::Uniform {
            least: ms(10),
            most: ms(50),
        };
        assert_eq!(draws(&latency, 7), draws(&latency, 7));
        assert_ne!(draws(&latency, 7), draws(&latency, 8));
    }

    #[test]
    fn draws_spread_as_the_distribution_says() {
        let uniform = draws(
            &Latency::Uniform {
                least: ms(10),
                most: ms(50),
            },
            1,
        );
        assert!(uniform[0] >= ms(10) && uniform[1999] <= ms(50));
        assert!((ms(28)..ms(32)).contains(&uniform[1000]));

        let normal = draws(
            &Latency::Normal {
                mean: ms(100),
                deviation: ms(20),
            },
            1,
        );
        assert!((ms(97)..ms(103)).contains(&normal[1000]));
        assert!(
            (ms(115)..ms(125)).contains(&normal[1682]),
            "one deviation above the mean"
        );

        let tail = Latency::Percentiles(vec![(50.0, ms(20)), (99.0, ms(900)), (100.0, ms(5000))]);
        let tail = draws(&tail, 1);
        assert_eq!((tail[0], tail[900]), (ms(20), ms(20)));
        assert!((ms(800)..ms(1100)).contains(&tail[1979]));
        assert!(tail[1999] > ms(2000) && tail[1999] <= ms(5000));
    }
}
