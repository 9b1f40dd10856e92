//! What the query asks of a listing.

/// The order and the page that are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Query {
    pub(super) sort: Sort,
    pub(super) order: Order,
    /// Counted from one; may be beyond the last.
    pub(super) page: usize,
}

/// What decides the order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Sort {
    #[default]
    Name,
    Size,
    Modified,
}

/// Which end comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Order {
    #[default]
    Ascending,
    Descending,
}

impl Query {
    /// Reads a query; the first parameter of a name counts, and what has no meaning is passed over.
    pub(super) fn parse(query: &str) -> Query {
        Query {
            sort: first(query, "sort", Sort::parse).unwrap_or_default(),
            order: first(query, "order", Order::parse).unwrap_or_default(),
            page: first(query, "page", |text| text.parse().ok()).unwrap_or(1).max(1),
        }
    }
}

fn first<T>(query: &str, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let mut parameters = query.split('&').filter_map(|parameter| parameter.split_once('='));
    parameters.find(|(found, _)| *found == name).and_then(|(_, value)| parse(value))
}

impl Sort {
    pub(super) fn name(self) -> &'static str {
        match self {
            Sort::Name => "name",
            Sort::Size => "size",
            Sort::Modified => "modified",
        }
    }

    /// The order in which one wants to see it first: names from A, but the largest, and the newest.
    pub(super) fn first_order(self) -> Order {
        match self {
            Sort::Name => Order::Ascending,
            Sort::Size | Sort::Modified => Order::Descending,
        }
    }

    fn parse(text: &str) -> Option<Sort> {
        [Sort::Name, Sort::Size, Sort::Modified].into_iter().find(|sort| sort.name() == text)
    }
}

impl Order {
    pub(super) fn name(self) -> &'static str {
        match self {
            Order::Ascending => "asc",
            Order::Descending => "desc",
        }
    }

    pub(super) fn reversed(self) -> Order {
        match self {
            Order::Ascending => Order::Descending,
            Order::Descending => Order::Ascending,
        }
    }

    fn parse(text: &str) -> Option<Order> {
        [Order::Ascending, Order::Descending].into_iter().find(|order| order.name() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_order_and_page() {
        let query = Query::parse("sort=size&order=desc&page=7");
        assert_eq!(query, Query { sort: Sort::Size, order: Order::Descending, page: 7 });
        assert_eq!(Query::parse("page=2&other=1&sort=modified").sort, Sort::Modified);
    }

    #[test]
    fn what_is_unknown_or_wrong_falls_back_to_the_default() {
        let default = Query { sort: Sort::Name, order: Order::Ascending, page: 1 };
        let wrong = [
            "",
            "&&=&",
            "sort",
            "sort=",
            "sort=Size",
            "sort=kind&sort=size",
            "order=down",
            "page=0",
            "page=-1",
            "page=1e9",
            "page=99999999999999999999999999",
            "sort=%73ize",
            "sort=<script>",
        ];
        for query in wrong {
            assert_eq!(Query::parse(query), default, "{query}");
        }
    }
}
