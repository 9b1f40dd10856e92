//! One conversation: somebody says who they are, then what they have to say.

use gannet::prelude::*;
use gannet::websocket::WebSocketResult;
use serde::{Deserialize, Serialize};

use crate::rooms::{RoomName, Rooms, Visit};

/// The most characters of what is said at once; more is refused.
pub const TEXT_CHARACTERS: usize = 500;

/// What a page says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Said {
    /// First: who it is.
    Join {
        name: String,
    },
    Say {
        text: String,
    },
}

/// What a page is told.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Told<'a> {
    /// You are in, and these are there.
    Welcome {
        name: &'a str,
        people: &'a [String],
    },
    Joined {
        name: &'a str,
    },
    Left {
        name: &'a str,
    },
    Said {
        name: &'a str,
        text: &'a str,
    },
    /// What you said was not taken.
    Error {
        detail: &'a str,
    },
}

/// Talks with one page, until it leaves. What is no JSON, or not of the shape of [`Said`], ends it with 1007; what is only wrong is answered, and it goes on.
pub async fn talk(room: Path<RoomName>, rooms: State<Rooms>, mut socket: WebSocket) -> WebSocketResult {
    let mut visit: Option<Visit> = None;
    while let Some(said) = socket.recv_json().await? {
        let taken = match (&visit, said) {
            (None, Said::Join { name }) => {
                match rooms.join(&room, &name, |broadcast| socket.subscribe(broadcast)) {
                    Ok(joined) => {
                        socket
                            .send_json(&Told::Welcome { name: &joined.name, people: &joined.people })
                            .await?;
                        visit = Some(joined);
                        Ok(())
                    }
                    Err(refused) => Err(refused),
                }
            }
            (Some(visit), Said::Say { text }) => say(visit, &text),
            (None, Said::Say { .. }) => Err("Say who you are first.".to_owned()),
            (Some(_), Said::Join { .. }) => Err("You are here already.".to_owned()),
        };
        if let Err(detail) = taken {
            socket.send_json(&Told::Error { detail: &detail }).await?;
        }
    }
    Ok(())
}

fn say(visit: &Visit, text: &str) -> Result<(), String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("There is nothing in it.".to_owned());
    }
    let characters = text.chars().count();
    if characters > TEXT_CHARACTERS {
        return Err(format!("That has {characters} characters; {TEXT_CHARACTERS} can be said at once."));
    }
    visit.say(text);
    Ok(())
}
