//! Records dealt to buckets, which go to disk where memory does not hold them.
//!
//! Several threads deal; a bucket is read as a whole, when all is dealt, in no particular order of its records.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion_common::{DataFusionError, Result};
use parking_lot::Mutex;

use super::charge::Charge;
use super::record::{Record, get_all, put_all};
use super::sort::sort;
use super::spill::SpillFile;

/// The records of one kind.
#[derive(Debug)]
pub(crate) struct Buckets<R> {
    buckets: Vec<Mutex<Bucket<R>>>,
    /// What buckets were read into, to be used again. It is charged for.
    spare: Mutex<Vec<Vec<R>>>,
    charge: Arc<Charge>,
    spill: Arc<SpillFile>,
    spilled: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Bucket<R> {
    /// As they were dealt.
    hands: Vec<Vec<R>>,
    /// On disk: where, and how many.
    runs: Vec<(u64, usize)>,
    records: usize,
}

impl<R: Record> Buckets<R> {
    /// So many buckets, charged and spilled like this. `spilled` counts bytes.
    pub(crate) fn new(
        n: usize,
        charge: &Arc<Charge>,
        spill: &Arc<SpillFile>,
        spilled: &Arc<AtomicU64>,
    ) -> Self {
        let empty = || {
            Mutex::new(Bucket {
                hands: Vec::new(),
                runs: Vec::new(),
                records: 0,
            })
        };
        Self {
            buckets: std::iter::repeat_with(empty).take(n).collect(),
            spare: Mutex::default(),
            charge: Arc::clone(charge),
            spill: Arc::clone(spill),
            spilled: Arc::clone(spilled),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.buckets.len()
    }

    /// As many others, charged and spilled in the same way.
    pub(crate) fn like(&self, n: usize) -> Self {
        Self::new(n, &self.charge, &self.spill, &self.spilled)
    }

    /// Records of a bucket.
    pub(crate) fn records(&self, bucket: usize) -> usize {
        self.buckets[bucket].lock().records
    }

    /// Records that a thread can well hold.
    pub(crate) fn planned(&self) -> usize {
        self.charge.most() / 8 / size_of::<R>()
    }

    /// Gives a bucket records; its memory is that of the vector's capacity.
    fn add(&self, bucket: usize, hand: Vec<R>) -> Result<()> {
        let bytes = hand.capacity() * size_of::<R>();
        if !self.charge.try_grow(bytes) {
            self.make_room()?;
            // (Others may have taken what was made.)
            if !self.charge.try_grow(bytes) {
                let mut bucket = self.buckets[bucket].lock();
                bucket.records += hand.len();
                let mut bytes = Vec::new();
                put_all(&hand, &mut bytes);
                return self.write(&mut bucket, hand.len(), &mut bytes);
            }
        }
        let mut bucket = self.buckets[bucket].lock();
        bucket.records += hand.len();
        bucket.hands.push(hand);
        Ok(())
    }

    /// Charges for what cannot be done without; what is held here goes to disk before that is refused.
    pub(crate) fn grow(&self, bytes: usize) -> Result<()> {
        /// (Others may take the room that was made.)
        const TRIES: usize = 3;
        for _ in 0..TRIES {
            if self.charge.grow(bytes).is_ok() {
                return Ok(());
            }
            self.make_room()?;
        }
        self.charge.grow(bytes)
    }

    /// Writes everything to disk.
    pub(crate) fn make_room(&self) -> Result<()> {
        let spare = std::mem::take(&mut *self.spare.lock());
        self.charge.shrink(capacity(&spare));
        drop(spare);
        let mut bytes = Vec::new();
        for bucket in &self.buckets {
            let mut bucket = bucket.lock();
            // (A piece at a time: a bucket may be most of what there is.)
            let mut records = 0;
            for hand in std::mem::take(&mut bucket.hands) {
                put_all(&hand, &mut bytes);
                records += hand.len();
                self.charge.shrink(hand.capacity() * size_of::<R>());
                if records >= PIECE {
                    self.write(&mut bucket, records, &mut bytes)?;
                    records = 0;
                }
            }
            self.write(&mut bucket, records, &mut bytes)?;
        }
        Ok(())
    }

    /// Writes so many records, if there are any, and takes them out of the bytes.
    fn write(&self, bucket: &mut Bucket<R>, records: usize, bytes: &mut Vec<u8>) -> Result<()> {
        if records > 0 {
            let at = self.spill.append(bytes)?;
            bucket.runs.push((at, records));
            self.spilled
                .fetch_add(bytes.len() as u64, Ordering::Relaxed);
            bytes.clear();
        }
        Ok(())
    }

    /// Takes the records of a bucket. What they are charged with is the caller's to give back, by
    /// [`release`](Self::release), with what was taken.
    pub(crate) fn take(&self, bucket: usize) -> Result<Vec<R>> {
        // (Making room looks at all buckets, at this one too: it goes to disk where memory does not hold it twice.)
        let n = self.buckets[bucket].lock().records;
        let mut records = self.room(n)?;
        self.drain(bucket, &mut |some| {
            records.extend_from_slice(some);
            Ok(())
        })?;
        Ok(records)
    }

    /// The same, but they stay.
    pub(crate) fn read(&self, bucket: usize) -> Result<Vec<R>> {
        // (None may be locked while room is made.)
        let n = self.buckets[bucket].lock().records;
        let mut records = self.room(n)?;
        self.look(bucket, &mut |some| records.extend_from_slice(some))?;
        Ok(records)
    }

    /// Shows the records of a bucket, some at a time. They stay.
    pub(crate) fn look(&self, bucket: usize, show: &mut dyn FnMut(&[R])) -> Result<()> {
        let bucket = self.buckets[bucket].lock();
        bucket.hands.iter().for_each(|hand| show(hand));
        self.each_piece(&bucket.runs, &mut |piece| {
            show(piece);
            Ok(())
        })
    }

    /// Empties a bucket, some records at a time.
    pub(crate) fn drain(
        &self,
        bucket: usize,
        take: &mut dyn FnMut(&[R]) -> Result<()>,
    ) -> Result<()> {
        let (hands, runs) = self.empty(bucket);
        for hand in hands {
            let taken = take(&hand);
            self.charge.shrink(hand.capacity() * size_of::<R>());
            taken?;
        }
        self.each_piece(&runs, take)
    }

    /// What is in a bucket.
    fn empty(&self, bucket: usize) -> (Vec<Vec<R>>, Vec<(u64, usize)>) {
        let mut bucket = self.buckets[bucket].lock();
        bucket.records = 0;
        (
            std::mem::take(&mut bucket.hands),
            std::mem::take(&mut bucket.runs),
        )
    }

    /// Sorts records that were taken by `key`; `place` is about where one belongs, as [`sort()`] wants it.
    pub(crate) fn sort<K: Ord>(
        &self,
        records: &mut Vec<R>,
        place: impl Fn(&R) -> u64,
        key: impl Fn(&R) -> K,
    ) -> Result<()> {
        match self.room(records.len()) {
            Ok(mut room) => {
                sort(records, &mut room, place, key);
                self.release(room);
                Ok(())
            }
            // (Most of a mapping may be of one identifier. That takes longer, but memory need not hold it twice.)
            Err(DataFusionError::ResourcesExhausted(_)) => {
                records.sort_unstable_by_key(key);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Room for so many records, charged for; to be [released](Self::release).
    pub(crate) fn room(&self, n: usize) -> Result<Vec<R>> {
        let mut records = self.spare.lock().pop().unwrap_or_default();
        let more = n.saturating_sub(records.capacity());
        if let Err(error) = self.grow(more * size_of::<R>()) {
            self.release(records);
            return Err(error);
        }
        records.reserve_exact(n);
        Ok(records)
    }

    /// Reads what is on disk. (A run may be most of a bucket: a piece at a time.)
    fn each_piece(
        &self,
        runs: &[(u64, usize)],
        take: &mut dyn FnMut(&[R]) -> Result<()>,
    ) -> Result<()> {
        let (mut bytes, mut piece) = (Vec::new(), Vec::new());
        for &(at, n) in runs {
            for start in (0..n).step_by(PIECE) {
                bytes.resize(PIECE.min(n - start) * R::BYTES, 0);
                self.spill
                    .read(at + (start * R::BYTES) as u64, &mut bytes)?;
                piece.clear();
                get_all(&bytes, &mut piece);
                take(&piece)?;
            }
        }
        Ok(())
    }

    /// Gives back the memory of what [`take`](Self::take) gave.
    pub(crate) fn release(&self, mut records: Vec<R>) {
        // (The kernel takes long to give pages, and to take them back.)
        records.clear();
        self.spare.lock().push(records);
    }
}

impl<R> Drop for Buckets<R> {
    fn drop(&mut self) {
        let mut left = capacity(self.spare.get_mut());
        for bucket in &mut self.buckets {
            left += capacity(&bucket.get_mut().hands);
        }
        self.charge.shrink(left);
    }
}

/// Bytes that vectors of records take.
fn capacity<R>(records: &[Vec<R>]) -> usize {
    let sizes = records
        .iter()
        .map(|records| records.capacity() * size_of::<R>());
    sizes.sum()
}

/// Records that are written and read at a time.
const PIECE: usize = 1 << 13;

/// Deals the records of one thread, a hand at a time.
#[derive(Debug)]
pub(crate) struct Dealer<R> {
    buckets: Arc<Buckets<R>>,
    hands: Vec<Vec<R>>,
    /// Records of a hand.
    size: usize,
}

impl<R: Record> Dealer<R> {
    /// With hands of so many records.
    pub(crate) fn new(buckets: &Arc<Buckets<R>>, size: usize) -> Self {
        Self {
            hands: std::iter::repeat_with(Vec::new)
                .take(buckets.len())
                .collect(),
            buckets: Arc::clone(buckets),
            size,
        }
    }

    /// Deals one record.
    pub(crate) fn deal(&mut self, bucket: usize, record: R) -> Result<()> {
        let hand = &mut self.hands[bucket];
        if hand.capacity() == 0 {
            hand.reserve_exact(self.size);
        }
        hand.push(record);
        if hand.len() == self.size {
            self.buckets.add(bucket, std::mem::take(hand))?;
        }
        Ok(())
    }

    /// Deals records that must stay together.
    pub(crate) fn deal_all(&mut self, bucket: usize, records: &[R]) -> Result<()> {
        let hand = &mut self.hands[bucket];
        if !hand.is_empty() && hand.len() + records.len() > self.size {
            self.buckets.add(bucket, std::mem::take(hand))?;
        }
        let hand = &mut self.hands[bucket];
        if hand.capacity() == 0 {
            hand.reserve_exact(self.size.max(records.len()));
        }
        hand.extend_from_slice(records);
        Ok(())
    }

    /// Deals what is left.
    pub(crate) fn finish(self) -> Result<()> {
        for (bucket, mut hand) in self.hands.into_iter().enumerate() {
            if !hand.is_empty() {
                hand.shrink_to_fit();
                self.buckets.add(bucket, hand)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn nothing_is_lost_whatever_memory_there_is() {
        'pools: for pool in [2_000, 20_000, 1_000_000] {
            let (charge, spill) = testing::charged(pool);
            let spilled = Arc::default();
            let buckets = Arc::new(Buckets::<u64>::new(7, &charge, &spill, &spilled));
            std::thread::scope(|scope| {
                for thread in 0..3 {
                    let mut dealer = Dealer::new(&buckets, 16);
                    scope.spawn(move || {
                        for i in 0..1000_u64 {
                            let record = i * 3 + thread;
                            dealer.deal(record as usize % 7, record).unwrap();
                        }
                        dealer.finish().unwrap();
                    });
                }
            });
            let mut all = Vec::new();
            for bucket in 0..7 {
                let records = match buckets.read(bucket).and_then(|copy| {
                    buckets.release(copy);
                    buckets.take(bucket)
                }) {
                    Ok(records) => records,
                    // (A bucket that is larger than the pool.)
                    Err(_) if pool == 2_000 => continue 'pools,
                    Err(error) => panic!("{error}"),
                };
                assert!(records.iter().all(|record| *record as usize % 7 == bucket));
                all.extend_from_slice(&records);
                buckets.release(records);
            }
            all.sort_unstable();
            assert_eq!(all, (0..3000).collect::<Vec<u64>>());
            drop(buckets);
            assert_eq!(charge.size(), 0);
            assert_eq!(spilled.load(Ordering::Relaxed) > 0, pool < 1_000_000);
        }
    }
}
