//! What can be asked, and what can be changed.

use std::sync::{Mutex, PoisonError};

use async_graphql::{
    ComplexObject, Context, Enum, Error, ID, InputObject, Object, Result, Schema, SimpleObject, Subscription,
};
use gannet::graphql::LimitedSchema;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};

/// Where birds live.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum Habitat {
    /// The open sea.
    Sea,
    /// Beaches and cliffs.
    Coast,
    /// Trees.
    Forest,
}

/// A kind of bird.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Bird {
    id: ID,
    name: String,
    /// Its name in science.
    latin: String,
    habitat: Habitat,
    /// From tip to tip.
    wingspan_cm: i32,
}

/// That somebody saw one.
#[derive(Clone, SimpleObject)]
pub struct Sighting {
    #[graphql(skip)]
    bird: ID,
    place: String,
    count: i32,
    observer: String,
}

/// What is reported.
#[derive(InputObject)]
pub struct Report {
    /// Which bird.
    bird: ID,
    place: String,
    /// How many there were, one at least.
    #[graphql(default = 1)]
    count: i32,
}

/// Who asks.
pub struct Observer(pub String);

/// What is known. It is gone when the program ends.
struct Notebook {
    birds: Vec<Bird>,
    sightings: Mutex<Vec<Sighting>>,
    /// Those that are reported from now on, for who watches.
    reported: broadcast::Sender<Sighting>,
}

/// The most sightings that are kept; more are refused.
const SIGHTINGS: usize = 1000;

/// Sightings that wait for somebody who watches and is slow, who misses the oldest of more.
const WAITING: usize = 16;

pub struct Query;
pub struct Mutation;
pub struct Watching;

pub fn schema() -> Schema<Query, Mutation, Watching> {
    Schema::build(Query, Mutation, Watching).data(Notebook::new()).recommended_limits().finish()
}

#[Object]
impl Query {
    /// All birds, or those of a habitat.
    async fn birds(&self, context: &Context<'_>, habitat: Option<Habitat>) -> Result<Vec<Bird>> {
        let birds = context.data::<Notebook>()?.birds.iter();
        Ok(birds.filter(|bird| habitat.is_none_or(|wanted| bird.habitat == wanted)).cloned().collect())
    }

    /// One bird, if it is known.
    async fn bird(&self, context: &Context<'_>, id: ID) -> Result<Option<Bird>> {
        Ok(context.data::<Notebook>()?.birds.iter().find(|bird| bird.id == id).cloned())
    }
}

#[ComplexObject]
impl Bird {
    /// Where it was seen, the last one first.
    async fn sightings(
        &self,
        context: &Context<'_>,
        #[graphql(default = 10)] most: usize,
    ) -> Result<Vec<Sighting>> {
        Ok(context.data::<Notebook>()?.sightings_of(&self.id, most))
    }
}

#[Object]
impl Mutation {
    /// Reports that a bird was seen.
    async fn report(&self, context: &Context<'_>, report: Report) -> Result<Sighting> {
        let Observer(observer) = context.data::<Observer>()?;
        context.data::<Notebook>()?.add(report, observer)
    }
}

#[Subscription]
impl Watching {
    /// Sightings as they are reported: of all birds, or of one.
    async fn seen(
        &self,
        context: &Context<'_>,
        bird: Option<ID>,
    ) -> Result<impl Stream<Item = Sighting> + use<>> {
        let reported = BroadcastStream::new(context.data::<Notebook>()?.reported.subscribe());
        let is_wanted = move |sighting: &Sighting| bird.as_ref().is_none_or(|bird| sighting.bird == *bird);
        // What was missed is the only error.
        Ok(reported.filter_map(move |sighting| sighting.ok().filter(&is_wanted)))
    }
}

impl Notebook {
    fn new() -> Notebook {
        let bird = |id: &str, name: &str, latin: &str, habitat, wingspan_cm| Bird {
            id: id.into(),
            name: name.to_owned(),
            latin: latin.to_owned(),
            habitat,
            wingspan_cm,
        };
        let birds = vec![
            bird("gannet", "Northern gannet", "Morus bassanus", Habitat::Sea, 180),
            bird("puffin", "Atlantic puffin", "Fratercula arctica", Habitat::Coast, 55),
            bird("jay", "Eurasian jay", "Garrulus glandarius", Habitat::Forest, 54),
        ];
        Notebook { birds, sightings: Mutex::default(), reported: broadcast::Sender::new(WAITING) }
    }

    fn sightings_of(&self, bird: &ID, most: usize) -> Vec<Sighting> {
        // Whoever panicked left the list as it was.
        let sightings = self.sightings.lock().unwrap_or_else(PoisonError::into_inner);
        sightings.iter().rev().filter(|sighting| sighting.bird == *bird).take(most).cloned().collect()
    }

    fn add(&self, report: Report, observer: &str) -> Result<Sighting> {
        let Report { bird, place, count } = report;
        if !self.birds.iter().any(|known| known.id == bird) {
            return Err(Error::new(format!("there is no bird {:?}", bird.as_str())));
        }
        if count < 1 {
            return Err(Error::new(format!("{count} birds cannot be seen")));
        }
        let mut sightings = self.sightings.lock().unwrap_or_else(PoisonError::into_inner);
        if sightings.len() == SIGHTINGS {
            return Err(Error::new("the notebook is full"));
        }
        let sighting = Sighting { bird, place, count, observer: observer.to_owned() };
        sightings.push(sighting.clone());
        // It may be that nobody watches.
        let _ = self.reported.send(sighting.clone());
        Ok(sighting)
    }
}
