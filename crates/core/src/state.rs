//! State: what handlers have in common, of all workers or of one.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use crate::{FromRequest, Needs, Rejection, Request, Status};

/// An application's state of type `T`, as an argument of handlers. That there is none is a mistake that is found when the application is built.
///
/// Cloning one counts nothing that other workers count too.
pub struct State<T>(Held<T>);

enum Held<T> {
    /// Of all workers. The outer count is the worker's own.
    #[expect(
        clippy::redundant_allocation,
        reason = "a count that all workers change for each request would be what they wait for"
    )]
    Shared(Rc<Arc<T>>),
    /// Of this worker only.
    Local(Rc<T>),
}

/// The states of one worker, by their types.
#[derive(Default)]
pub struct States {
    /// Each a `State<T>`.
    by_type: Vec<(TypeId, Box<dyn Any>)>,
}

/// What makes each worker's state of a type.
#[derive(Clone)]
pub struct StateFactory {
    type_id: TypeId,
    type_name: &'static str,
    make: Arc<dyn Fn() -> Making + Send + Sync>,
}

/// A state that is being made: a `State<T>`, or why there is none.
type Making = Pin<Box<dyn Future<Output = Result<Box<dyn Any>, String>>>>;

impl<T> State<T> {
    /// The value.
    pub fn get(&self) -> &T {
        match &self.0 {
            Held::Shared(value) => value,
            Held::Local(value) => value,
        }
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.get()
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> State<T> {
        State(match &self.0 {
            Held::Shared(value) => Held::Shared(value.clone()),
            Held::Local(value) => Held::Local(value.clone()),
        })
    }
}

impl<T: fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl<T: 'static> FromRequest for State<T> {
    const WAITS: bool = false;

    async fn from_request(request: &mut Request) -> Result<State<T>, Rejection> {
        // Only a handler that is called without its application having been built has none.
        let missing = || format!("There is no state of type {}.", type_name::<T>());
        request.state().cloned().ok_or_else(|| Rejection::new(Status::INTERNAL_SERVER_ERROR, missing()))
    }

    fn needs(needs: &mut Needs) {
        needs.state::<T>();
    }
}

impl States {
    /// Adds one, in the place of another of its type.
    pub fn insert<T: 'static>(&mut self, state: State<T>) {
        self.put(TypeId::of::<T>(), Box::new(state));
    }

    /// The state of a type.
    pub fn get<T: 'static>(&self) -> Option<&State<T>> {
        let wanted = TypeId::of::<T>();
        self.by_type
            .iter()
            .find(|(type_id, _)| *type_id == wanted)
            .and_then(|(_, state)| state.downcast_ref())
    }

    /// The states of one worker, on whose thread this is called.
    ///
    /// # Errors
    /// What one that could not be made said.
    pub async fn make(factories: &[StateFactory]) -> Result<States, String> {
        let mut states = States::default();
        for factory in factories {
            let state = (factory.make)().await;
            let state = state.map_err(|error| format!("the state {}: {error}", factory.type_name))?;
            states.put(factory.type_id, state);
        }
        Ok(states)
    }

    fn put(&mut self, type_id: TypeId, state: Box<dyn Any>) {
        self.by_type.retain(|(other, _)| *other != type_id);
        self.by_type.push((type_id, state));
    }
}

impl StateFactory {
    /// One value, of all workers.
    pub fn shared<T: Send + Sync + 'static>(value: T) -> StateFactory {
        let value = Arc::new(value);
        StateFactory::new::<T, _>(move || std::future::ready(Ok(State(Held::Shared(Rc::new(value.clone()))))))
    }

    /// A value of each worker's own, made on its thread before it serves.
    pub fn per_worker<T, F, E>(make: impl Fn() -> F + Send + Sync + 'static) -> StateFactory
    where
        T: 'static,
        F: Future<Output = Result<T, E>> + 'static,
        E: fmt::Display,
    {
        StateFactory::new::<T, _>(move || {
            let making = make();
            async move {
                match making.await {
                    Ok(value) => Ok(State(Held::Local(Rc::new(value)))),
                    Err(error) => Err(error.to_string()),
                }
            }
        })
    }

    fn new<T: 'static, F>(make: impl Fn() -> F + Send + Sync + 'static) -> StateFactory
    where
        F: Future<Output = Result<State<T>, String>> + 'static,
    {
        let make = move || -> Making {
            let making = make();
            Box::pin(async move { making.await.map(|state| Box::new(state) as Box<dyn Any>) })
        };
        StateFactory { type_id: TypeId::of::<T>(), type_name: type_name::<T>(), make: Arc::new(make) }
    }

    /// Of which type.
    pub fn type_id(&self) -> TypeId {
        self.type_id
    }

    /// What that is called.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }
}
