//! What is remembered for a while under a name of its own: when there is too much of it, the oldest goes.

use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;

/// A map that holds so many things at most. Who takes something in under a name has made sure that the name is new.
#[derive(Clone)]
pub(crate) struct Bounded<K, T> {
    most: usize,
    found: HashMap<K, T>,
    /// Names, the oldest first.
    order: VecDeque<K>,
}

impl<K: Clone + Eq + Hash, T> Bounded<K, T> {
    pub(crate) fn new(most: usize) -> Bounded<K, T> {
        Bounded {
            most,
            found: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Takes one in; beyond the bound the oldest is forgotten for it.
    pub(crate) fn insert(&mut self, name: K, thing: T) {
        if self.order.len() >= self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.found.remove(&oldest);
        }
        self.order.push_back(name.clone());
        self.found.insert(name, thing);
    }

    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, name: &Q) -> Option<&T>
    where
        K: Borrow<Q>,
    {
        self.found.get(name)
    }

    pub(crate) fn get_mut<Q: Eq + Hash + ?Sized>(&mut self, name: &Q) -> Option<&mut T>
    where
        K: Borrow<Q>,
    {
        self.found.get_mut(name)
    }

    pub(crate) fn clear(&mut self) {
        self.found.clear();
        self.order.clear();
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// Forgets the oldest ones as long as they are `stale`. What lives equally long goes stale in the order in which it
    /// came, so that nothing else has to be looked at.
    pub(crate) fn forget_while(&mut self, stale: impl Fn(&T) -> bool) {
        while let Some(oldest) = self.order.front()
            && self.found.get(oldest).is_none_or(&stale)
        {
            self.found.remove(oldest);
            self.order.pop_front();
        }
    }
}

/// How many there are: what they are may be a secret.
impl<K, T> fmt::Debug for Bounded<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of at most {}", self.found.len(), self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_bound_the_oldest_is_forgotten() {
        let mut few = Bounded::new(3);
        for number in 0..5 {
            few.insert(number.to_string(), number);
        }
        let kept: Vec<Option<&i32>> = ["0", "1", "2", "3", "4"].map(|name| few.get(name)).to_vec();
        assert_eq!(kept, [None, None, Some(&2), Some(&3), Some(&4)]);
        assert_eq!((few.len(), few.order.len()), (3, 3));
    }

    #[test]
    fn stale_ones_at_the_front_are_forgotten() {
        let mut few = Bounded::new(10);
        for number in [1, 2, 9, 3] {
            few.insert(number.to_string(), number);
        }
        few.forget_while(|number| *number < 5);
        assert_eq!((few.len(), few.get("9"), few.get("3")), (2, Some(&9), Some(&3)));
    }
}
