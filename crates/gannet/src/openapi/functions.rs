//! What can be described: functions whose arguments and results can be, and values.

use gannet_core::IntoResponse;

use super::{DescribeArgument, DescribeResponse, Operation};

/// A handler that says what it takes and gives. `Marker` only tells the kinds apart; nobody needs to name it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be described in OpenAPI",
    label = "some argument or result of this says nothing of itself",
    note = "each argument has to be `DescribeArgument`, and the result `DescribeResponse`: what is within `Json`, `Query`, `Path`, ... derives `schemars::JsonSchema`",
    note = "a handler that cannot be described is in the document, too, if it is given without `api`: with its method and path"
)]
pub trait Described<Marker> {
    /// Says it.
    fn describe(operation: &mut Operation<'_>);
}

/// Marks plain functions of these arguments.
#[derive(Debug)]
pub struct Plain<A>(A);

/// Marks async functions of these arguments.
#[derive(Debug)]
pub struct Async<A>(A);

/// Marks values.
#[derive(Debug)]
pub struct Value;

impl<R: DescribeResponse + IntoResponse + Clone> Described<Value> for R {
    fn describe(operation: &mut Operation<'_>) {
        R::describe_response(operation);
    }
}

macro_rules! functions {
    ($(($($argument:ident)*);)+) => {$(
        impl<F, R, $($argument,)*> Described<Plain<($($argument,)*)>> for F
        where
            F: Fn($($argument,)*) -> R,
            R: DescribeResponse,
            $($argument: DescribeArgument,)*
        {
            fn describe(operation: &mut Operation<'_>) {
                $($argument::describe_argument(operation);)*
                R::describe_response(operation);
            }
        }

        impl<F, T, $($argument,)*> Described<Async<($($argument,)*)>> for F
        where
            F: Fn($($argument,)*) -> T,
            T: Future<Output: DescribeResponse>,
            $($argument: DescribeArgument,)*
        {
            fn describe(operation: &mut Operation<'_>) {
                $($argument::describe_argument(operation);)*
                T::Output::describe_response(operation);
            }
        }
    )+};
}

functions! {
    ();
    (A);
    (A B);
    (A B C);
    (A B C D);
    (A B C D E);
    (A B C D E G);
    (A B C D E G H);
    (A B C D E G H I);
    (A B C D E G H I J);
    (A B C D E G H I J K);
}
