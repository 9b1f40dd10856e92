//! TLS in the simulator: what stalls, what storms, what is cut off.

use std::io::ErrorKind;
use std::time::Duration;

use gannet_link::ClientTls;
use gannet_server::Limits;

use crate::peer::serve;
use crate::wire::{Wire, client_tls, secure_address};
use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

/// A client by TLS, and all that it was told.
struct Secured {
    wire: Wire,
    told: Vec<u8>,
    end: Option<Result<(), ErrorKind>>,
}

impl Secured {
    fn connect(world: &World, tls: &ClientTls) -> Secured {
        let wire = Wire::secure(&world.network, tls).expect("the server listens");
        Secured { wire, told: Vec::new(), end: None }
    }

    /// Takes what is there; says whether anything was.
    fn step(&mut self) -> bool {
        let mut room = [0; 4096];
        if self.end.is_some() {
            return false;
        }
        match self.wire.read(&mut room) {
            Ok(0) => self.end = Some(Ok(())),
            Ok(count) => self.told.extend_from_slice(&room[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => self.end = Some(Err(error.kind())),
        }
        true
    }

    /// Lets client and server act until neither does anything more at this moment.
    fn settle(&mut self, world: &mut World) {
        for _ in 0..1000 {
            world.settle();
            if !self.step() {
                return;
            }
        }
        panic!("they go on and on");
    }

    fn say(&mut self, text: &str, world: &mut World) {
        for _ in 0..1000 {
            match self.wire.write(text.as_bytes()) {
                Ok(count) => {
                    assert_eq!(count, text.len());
                    return self.settle(world);
                }
                Err(_) => self.settle(world),
            }
        }
        panic!("it is not taken");
    }

    fn get(&mut self, target: &str, world: &mut World) {
        self.say(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"), world);
    }

    fn statuses(&self) -> usize {
        String::from_utf8_lossy(&self.told).matches("HTTP/1.1 200 OK").count()
    }

    /// Takes all that is there, and passes on what the client has to say then.
    fn hear(&mut self) {
        for _ in 0..100 {
            if !self.step() {
                return;
            }
        }
        panic!("it goes on and on");
    }

    /// Whether the server has told it something that it did not hear yet.
    fn has_unread(&self) -> bool {
        matches!(&self.wire, Wire::Secure(secure) if secure.client.unread() > 0)
    }

    /// Passes on what the client has to say, without hearing the server.
    fn pump(&mut self) {
        if let Wire::Secure(secure) = &mut self.wire {
            secure.pump().expect("it is connected");
        }
    }
}

#[test]
fn tls_handshake_timeout_a_handshake_that_stalls_is_ended_after_10_s() {
    serve(Limits::default(), async |world| {
        let silent = world.network.connect(secure_address()).expect("the server listens");
        let mut begun = world.network.connect(secure_address()).expect("the server listens");
        begun.write(&[22, 3, 1]).expect("there is room");
        let mut half = Secured::connect(world, &client_tls());
        half.pump();
        world.run(10 * SECOND - Duration::from_millis(1)).await;
        assert!(silent.is_open() && begun.is_open() && half.wire.is_open());
        world.run(SECOND / 5).await;
        assert!(!silent.is_open() && !begun.is_open() && !half.wire.is_open());
        drop((silent, begun, half));
        world.run(SECOND).await;
        world.assert_nothing_leaked();
    });
}

#[test]
fn handshakes_per_turn_a_storm_of_500_handshakes_holds_up_nobody_who_is_served() {
    serve(Limits::default(), async |world| {
        let tls = client_tls();
        let mut kept = Secured::connect(world, &tls);
        kept.get("/plain", world);
        assert_eq!(kept.statuses(), 1);
        let mut storm: Vec<Secured> = Vec::new();
        for _ in 0..500 {
            storm.push(Secured::connect(world, &tls));
            world.turn(); // the backlog is not what is tested
        }
        storm.iter_mut().for_each(Secured::pump);
        // One turn lets all in, one receives what they said: from then on handshakes wait.
        world.turn();
        world.turn();
        storm.iter_mut().for_each(Secured::hear);
        let mut answered = 0;
        for number in 0..20 {
            kept.wire.write(b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n").expect("there is room");
            world.turn();
            kept.hear();
            assert_eq!(kept.statuses(), 2 + number, "it is answered in the turn that receives it");
            let told = storm.iter().filter(|one| one.has_unread()).count();
            assert!(told <= 8, "{told} handshakes in one turn");
            answered += told;
            storm.iter_mut().for_each(Secured::hear);
        }
        assert!(answered >= 100, "and they are taken on all the while: {answered}");
        for one in &mut storm {
            one.get("/plain", world);
        }
        assert!(storm.iter().all(|one| one.statuses() == 1), "all are served in the end");
    });
}

#[test]
fn a_body_that_is_cut_off_is_not_taken_for_whole_and_between_requests_nothing_is_lost() {
    serve(Limits::default(), async |world| {
        let tls = client_tls();
        let mut between = Secured::connect(world, &tls);
        between.get("/plain", world);
        if let Wire::Secure(secure) = &mut between.wire {
            secure.client.finish();
        }
        between.settle(world);
        assert_eq!((between.statuses(), between.end), (1, Some(Err(ErrorKind::UnexpectedEof))));
        drop(between);
        world.run(SECOND).await;
        assert_eq!(world.connections(), 0, "an end between requests is an end");
    });
}

#[test]
fn an_idle_connection_is_told_its_end() {
    serve(Limits::default(), async |world| {
        let mut client = Secured::connect(world, &client_tls());
        client.get("/plain", world);
        world.run(76 * SECOND).await;
        client.settle(world);
        assert_eq!((client.statuses(), client.end), (1, Some(Ok(()))));
        client.wire.finish();
        world.run(SECOND).await;
        assert_eq!(world.connections(), 0);
    });
}

#[test]
fn a_record_that_never_becomes_whole_is_a_head_that_does_not_come() {
    serve(Limits::default(), async |world| {
        let mut client = Secured::connect(world, &client_tls());
        client.get("/plain", world);
        if let Wire::Secure(secure) = &mut client.wire {
            secure.client.write(&[23, 3, 3, 0x40, 0, 1, 2, 3]).expect("there is room");
        }
        world.run(11 * SECOND).await;
        assert!(!client.wire.is_open(), "it is not idle: head_timeout holds");
    });
}
